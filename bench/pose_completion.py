"""Pose completion in figures: joints hidden and brought back, PCK at 0.2 torso. Prints three tables (docs/pose.md
quotes them).

    python bench/pose_completion.py [--figures 40]

1. Library poses with varied proportions and turns, joints hidden: completion alone, no detector.
2. Figures of the procedural world, the picture cut: MediaPipe's own out-of-frame guesses against completion. Two
truths: the
   drawn landmarks, and those MediaPipe itself sees in the uncut picture (which owes nothing to our body model).
3. The two real photos, cut: the truth is what MediaPipe sees in the uncut photo.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from PIL import Image

from studio.pose.body import Proportions, landmarks, place
from studio.pose.complete import complete
from studio.pose.detect import MediaPipeDetector
from studio.pose.library import POSES
from studio.pose.metrics import COCO_17, inside, pck
from studio.pose.types import J, JointState, Pose

HEAD = tuple(J(j) for j in range(J.LEFT_SHOULDER))
FOREARMS = tuple(J(j) for j in range(J.LEFT_WRIST, J.LEFT_HIP))
HIDDEN: dict[str, tuple[J, ...]] = {
    "lower body": tuple(J(j) for j in range(J.LEFT_HIP, J.RIGHT_FOOT + 1)),
    "legs from the knee": tuple(J(j) for j in range(J.LEFT_KNEE, J.RIGHT_FOOT + 1)),
    "head": HEAD,
    "left arm": tuple(J(j) for j in range(J.LEFT_ELBOW, J.LEFT_HIP, 2)),
    "both forearms": FOREARMS,
    "head, forearms, lower body": (*HEAD, *FOREARMS, *(J(j) for j in range(J.LEFT_HIP, J.RIGHT_FOOT + 1))),
}


def hide(pose: Pose, joints: Sequence[J]) -> Pose:
    """The pose as a detector would give it that knows nothing of ``joints``: at the origin, visibility 0."""
    kept = np.array([j not in joints for j in range(len(pose.points))])
    states = tuple(JointState.SEEN if k else JointState.INVENTED for k in kept)
    visibility = kept.astype(np.float32)
    return Pose(pose.points * kept[:, None], visibility, visibility, states, pose.size)


def varied(rng: np.random.Generator, spread: float = 0.06) -> Proportions:
    """Proportions whose every segment is off the average by ``spread`` (log-normal)."""
    average = Proportions()
    return Proportions(
        **{f.name: float(getattr(average, f.name) * np.exp(rng.normal(0, spread))) for f in fields(average)}
    )


def library_truths(rounds: int) -> Iterator[tuple[str, Pose]]:
    """Every library pose, ``rounds`` times, with other proportions and a turn of up to 15 degrees."""
    rng = np.random.default_rng(20)
    for name, entry in POSES.items():
        for _ in range(rounds):
            angles = replace(entry.angles, yaw=entry.angles.yaw + rng.uniform(-15, 15))
            yield name, place(landmarks(angles, varied(rng)), size=(512, 768), stature=640, hips=(256, 390))


def table(title: str, rows: dict[str, dict[str, list[float]]]) -> None:
    """Print one row per key, one column per measure: the mean, and the number of joints."""
    columns = list(next(iter(rows.values())))
    print(f"\n{title}\n{'':28}" + "".join(f"{c:>26}" for c in columns) + f"{'joints':>10}")
    total: dict[str, list[float]] = defaultdict(list)
    for name, row in rows.items():
        print(f"{name:28}" + "".join(f"{np.mean(row[c]):26.3f}" for c in columns) + f"{len(row[columns[0]]):10d}")
        for c in columns:
            total[c] += row[c]
    print(f"{'all':28}" + "".join(f"{np.mean(total[c]):26.3f}" for c in columns) + f"{len(total[columns[0]]):10d}")


def by_library(rounds: int) -> None:
    """Table 1."""
    rows: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for _, truth in library_truths(rounds):
        for name, joints in HIDDEN.items():
            came_back = complete(hide(truth, joints))
            rows[name]["completion"] += [pck(came_back, truth, joints=[j]) for j in joints if j in COCO_17]
    table("Library poses, joints hidden: PCK@0.2 torso of the hidden COCO joints", rows)


@dataclass(frozen=True)
class Cut:
    """A picture cut to ``box`` (left, top, right, bottom), and the truth of the uncut one."""

    name: str
    picture: Image.Image
    box: tuple[int, int, int, int]
    truths: dict[str, Pose]


def cuts_of(picture: Image.Image, pose: Pose, truths: dict[str, Pose]) -> Iterator[Cut]:
    """Cuts where photos are cut: below the knee, above it, at the waist, through the chest; the head off; one arm
    off."""
    width, height = picture.size
    xy = pose.points[:, :2]
    shoulder, hip = (float(xy[list(pair), 1].mean()) for pair in ((11, 12), (23, 24)))
    knee = float(xy[[J.LEFT_KNEE, J.RIGHT_KNEE], 1].mean())
    for name, line in {
        "above the knees": hip + 0.75 * (knee - hip), "below the hips": hip + 0.25 * (knee - hip),
        "waist": shoulder + 0.75 * (hip - shoulder), "chest": shoulder + 0.45 * (hip - shoulder),
    }.items():  # fmt: skip
        yield Cut(name, picture, (0, 0, width, int(line)), truths)
    yield Cut("head off", picture, (0, int(shoulder - 0.08 * (hip - shoulder)), width, height), truths)
    side = 1 if xy[J.LEFT_SHOULDER, 0] > xy[J.RIGHT_SHOULDER, 0] else -1
    line = int(xy[J.LEFT_SHOULDER, 0] + side * 0.06 * (hip - shoulder))
    yield Cut("one arm off", picture, (0, 0, line, height) if side > 0 else (line, 0, width, height), truths)


def compare(cuts: Iterator[Cut], detector: MediaPipeDetector, finish: Callable[[Pose], Pose] = complete) -> None:
    """Tables 2 and 3: MediaPipe's guesses for the joints cut off, against completion's."""
    rows: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    lost = 0
    for cut in cuts:
        found = detector.detect(cut.picture.crop(cut.box))
        if found is None:
            lost += 1
            continue
        completed = finish(found.pose)
        for name, whole in cut.truths.items():
            truth = whole.moved(-cut.box[0], -cut.box[1], size=found.pose.size)
            near = inside(truth)
            for j in COCO_17:
                if j not in near and whole.states[j] is not JointState.INVENTED:
                    rows[cut.name][f"{name}: MediaPipe"].append(pck(found.pose, truth, joints=[j]))
                    rows[cut.name][f"{name}: completed"].append(pck(completed, truth, joints=[j]))
    table(f"PCK@0.2 torso of the COCO joints cut off ({lost} cuts without a detection left out)", rows)


def figure_cuts(count: int, detector: MediaPipeDetector) -> Iterator[Cut]:
    """Cuts of ``count`` whole figures of the procedural world, people only."""
    from studio.mini.world import draw, random_spec

    for seed in range(5000, 5000 + 3 * count):
        spec = random_spec(seed)
        if spec.person.mannequin or count <= 0:
            continue
        count -= 1
        drawing = draw(replace(spec, crop="head-to-toe"), size=(384, 576))
        seen = detector.detect(drawing.picture)
        if seen is not None and pck(seen.pose, drawing.pose) > 0.9:  # else the uncut picture is no truth either
            yield from cuts_of(drawing.picture, drawing.pose, {"drawn": drawing.pose, "uncut": seen.pose})


def photo_cuts(detector: MediaPipeDetector) -> Iterator[Cut]:
    """Cuts of the astronaut and of Grace Hopper, who are busts: from the side and from below."""
    import matplotlib.cbook
    import skimage.data

    hopper = Image.open(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)).convert("RGB")
    for name, photo in (("astronaut", Image.fromarray(skimage.data.astronaut())), ("grace hopper", hopper)):
        whole = detector.detect(photo)
        if whole is None:
            continue
        width, height = photo.size
        for share in (0.5, 0.6, 0.7, 0.8, 0.9):
            yield Cut(f"{name}, from below", photo, (0, 0, width, int(height * share)), {"uncut": whole.pose})
        for share in (0.15, 0.25, 0.35):
            left, right = int(width * share), int(width * (1 - share))
            yield Cut(f"{name}, from the side", photo, (left, 0, width, height), {"uncut": whole.pose})
            yield Cut(f"{name}, from the side", photo, (0, 0, right, height), {"uncut": whole.pose})


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=int, default=40, help="how many drawn figures to cut")
    parser.add_argument("--rounds", type=int, default=3, help="how often each library pose is varied")
    args = parser.parse_args()
    by_library(args.rounds)
    with MediaPipeDetector() as detector:
        compare(figure_cuts(args.figures, detector), detector)
        compare(photo_cuts(detector), detector)


if __name__ == "__main__":
    main()
