"""Does a LoRA learn a garment? Ten garments that the bundled engine never saw, seven pictures each, judged on others.

    python -m bench.lora_proof [--work var/lora-proof] [--garments 10] [--steps 150] [--only 0 3]

Colours and prints come from outside of what ``mini`` was trained on (studio/mini/world/prints.py). Of each garment ten
views are drawn, every one on another person in another pose, scene and light: seven to train on, three held out. In the
held-out pictures the garment alone is painted new, from the same prompt and seeds, by

    base        the engine without an adapter, the trigger word in the prompt
    words       the engine without an adapter, the garment described as well as the captions of its world can
    wrong       the adapter of the next garment in the list, and that one's trigger
    chosen      the checkpoint that studio.lora.choosing picked
    last        the last checkpoint

and compared with the three held-out pictures by studio.lora.similarity, those as the engine's own autoencoder shows
them (it blurs: against the drawn pictures even they would score low). ``truth``: each of them against the other two,
what a perfect LoRA would get. ``outfit``: the garment put on another person, photographed in other clothes, by an
ordinary outfit change (``base``: the same order without the adapter). Everything is kept below ``--work``: a second
call goes on where the first one was.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from studio.diffusion.machine import quiet
from studio.diffusion.shown import as_shown
from studio.lora.similarity import References, references_of, similarity
from studio.mini.world import Drawing, Garment, Spec, draw, random_spec
from studio.shoot.presets import Kind
from studio.shoot.types import Order

SIZE = (128, 192)
TRAINING, HELD_OUT = 7, 3
SEEDS = (1, 2)
STEPS = 12
LEARNING: dict[str, Any] = {"modules": "attention+conv", "learning_rate": 2e-3, "warmup_steps": 10}
WAYS = ("base", "words", "wrong", "chosen", "last")
GARMENTS = (
    Garment("dress", "#1f7a6b", "zigzag", "#d98a6a", "long", third="#f2efe6"),
    Garment("sweater", "#5b3a8c", "banded", "#9bd1c0", "long", third="#f0c23c"),
    Garment("t-shirt", "#e8e2d0", "emblem", "#b3123c", "short", third="#141414"),
    Garment("dress", "#f0c23c", "blocks", "#35206b", "short"),
    Garment("coat", "#8a9a5b", "halved", "#4a1f2d", "long", third="#e9dcc3"),
    Garment("sweater", "#d4576b", "diagonal", "#2b4a57", "long"),
    Garment("dress", "#7fb7d6", "yoked", "#7a3b12", "none", third="#f7f3ea"),
    Garment("t-shirt", "#2d5a27", "sash", "#f2a541", "short", third="#fbf7ee"),
    Garment("dress", "#c9b8e8", "faded", "#2b1055", "long"),
    Garment("coat", "#b5651d", "harlequin", "#173f5f", "long"),
)


@dataclass(frozen=True)
class Case:
    """One garment of the proof."""

    index: int
    garment: Garment
    folder: Path

    @property
    def trigger(self) -> str:
        """A word that means nothing else."""
        return f"zk{chr(97 + self.index)}{self.index}"

    @property
    def called(self) -> str:
        """How prompts call the garment."""
        return f"{self.trigger} {self.garment.category}"

    def spec(self, k: int) -> Spec:
        """The k-th view."""
        return worn(self.garment, random_spec(880_000 + 100 * self.index + k))

    def caption(self, spec: Spec, called: str | None = None) -> str:
        """The view in words, the garment by its trigger."""
        return spec.caption.replace(self.garment.words, called or self.called)


@dataclass(frozen=True)
class View:
    """A drawn view: picture, mask, caption, and the skeleton that ControlNet is shown."""

    drawing: Drawing
    spec: Spec
    caption: str


def main() -> None:
    """Train what is not trained yet, paint, measure, print; write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("var/lora-proof"))
    parser.add_argument("--garments", type=int, default=len(GARMENTS))
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--only", type=int, nargs="*", help="train these garments and stop")
    options = parser.parse_args()
    cases = [Case(k, garment, options.work / f"{k}") for k, garment in enumerate(GARMENTS[: options.garments])]
    with quiet():
        for case in cases:
            if options.only is None or case.index in options.only:
                trained(case, options.steps)
        if options.only is None:
            report(cases, options.work)


def worn(garment: Garment, spec: Spec) -> Spec:
    """The spec's person, pose and scene in this garment, all of it in the frame."""
    if garment.category == "dress":
        return replace(spec, full=garment, upper=None, lower=None, crop="head-to-toe")
    lower = spec.lower or Garment("trousers", "navy")
    return replace(spec, full=None, upper=garment, lower=lower, crop="head-to-toe")


def views(case: Case, first: int, count: int) -> list[View]:
    """Drawn views from ``first`` on; one whose garment is hardly seen (sideways, arms before it) is passed over."""
    found: list[View] = []
    k = first
    while len(found) < count:
        spec = case.spec(k)
        drawing = draw(spec, SIZE)
        if drawing.garment.sum() >= 0.6 * np.prod(SIZE) / 14:
            found.append(View(drawing, spec, case.caption(spec)))
        k += 1
    return found


def held_out(case: Case) -> list[View]:
    """The views that training does not learn from."""
    return views(case, 50, HELD_OUT)


def trained(case: Case, steps: int) -> dict[str, Any]:
    """The case's training, from its record when it is done: steps of checkpoints, the choice, seconds."""
    record = case.folder / "record.json"
    if record.exists():
        return dict(json.loads(record.read_text()))
    from dataclasses import asdict

    from studio.diffusion.parts import from_located
    from studio.lora.choosing import choose
    from studio.lora.plans import plan_for
    from studio.lora.training import train
    from studio.weights.store import locate

    dataset = data_set(case)
    every = max(1, steps // 5)
    plan = plan_for("mini", pictures=TRAINING, trigger=case.trigger, steps=steps, save_every=every,
                    validate_every=every, sample_every=every, samples=HELD_OUT, **LEARNING)  # fmt: skip
    began = time.perf_counter()
    result = train(from_located(locate("mini")), dataset, plan, out=case.folder / "out")
    choice = choose(result.checkpoints)
    rows = [[one.step, str(one.adapter), one.smoothed_loss, one.validation_loss, one.similarity]
            for one in result.checkpoints]  # fmt: skip
    found = {"checkpoints": rows, "choice": {**asdict(choice), "merits": None}, "seconds": time.perf_counter() - began}
    record.write_text(json.dumps(found))
    print(f"{case.called:16} {steps} steps in {found['seconds']:.0f} s, best {choice.best}", flush=True)
    return found


def data_set(case: Case) -> Any:
    """Seven pictures and three held out, on disk with masks."""
    from studio.dataset.types import DataSet, Entry
    from studio.segmentation.mask_files import write_mask

    folder = case.folder / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for k, view in enumerate([*views(case, 0, TRAINING), *held_out(case)]):
        image, mask = folder / f"{k}.png", folder / f"{k}-mask.png"
        view.drawing.picture.save(image)
        write_mask(view.drawing.garment, mask)
        one_sided = case.garment.pattern in ("halved", "diagonal", "sash")
        entries.append(Entry(image, mask, view.caption, "front", flip=not one_sided, held_out=k >= TRAINING))
    return DataSet(case.trigger, tuple(entries))


def adapter_of(case: Case, steps: int | None = None) -> Path:
    """The chosen checkpoint's file, or the last one's for 0."""
    record = trained(case, 0)
    rows = {row[0]: Path(row[1]) for row in record["checkpoints"]}
    return rows[record["choice"]["best"]] if steps is None else rows[max(rows)]


def report(cases: Sequence[Case], work: Path) -> None:
    """Paint and measure every garment; print the table and write the sheet."""
    from studio.shoot.run import bring_up

    rows: list[dict[str, float]] = []
    strips = []
    print(f"{'garment':28} {'best':>5} " + " ".join(f"{name:>7}" for name in ("truth", *WAYS, "outfit", "base")))
    with bring_up("mini") as crew:
        for case in cases:
            found = remembered(case, cases, crew)
            rows.append(found)
            strips.append(Image.open(case.folder / "strip.png"))
            best = trained(case, 0)["choice"]["best"]
            print(f"{case.garment.pattern + ' ' + case.garment.category:28} {best:5} " + line(found), flush=True)
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    print(f"{'mean':28} {'':5} " + line(means))
    summary(rows)
    contact_sheet(strips).save(work / "sheet.png")
    print(f"sheet: {work / 'sheet.png'}")


def line(found: Mapping[str, float]) -> str:
    """One row's figures."""
    return " ".join(f"{found[name]:7.3f}" for name in ("truth", *WAYS, "outfit", "outfit base"))


def summary(rows: Sequence[Mapping[str, float]]) -> None:
    """How many garments come out on the right side of each comparison."""
    for better, worse in (("chosen", "base"), ("chosen", "words"), ("chosen", "wrong"), ("chosen", "last"),
                          ("outfit", "outfit base")):  # fmt: skip
        gaps = np.array([row[better] - row[worse] for row in rows])
        print(f"{better} above {worse}: {int((gaps > 0).sum())} of {len(gaps)}, by {gaps.mean():+.3f} "
              f"({gaps.min():+.3f} to {gaps.max():+.3f})")  # fmt: skip


def remembered(case: Case, cases: Sequence[Case], crew: Any) -> dict[str, float]:
    """The case's figures, from its record when it was judged before."""
    record = case.folder / "judged.json"
    if not record.exists():
        found, strip = judged(case, cases, crew)
        laid_out(strip).save(case.folder / "strip.png")
        record.write_text(json.dumps(found))
    return dict(json.loads(record.read_text()))


def judged(case: Case, cases: Sequence[Case], crew: Any) -> tuple[dict[str, float], list[tuple[str, Image.Image]]]:
    """The case's figures, and pictures to look at."""
    photos = held_out(case)
    references = references_of([(as_shown(crew.engine, view.drawing.picture), view.drawing.garment) for view in photos])
    wrong = cases[(case.index + 1) % len(cases)]
    ways: dict[str, tuple[str, Path | None]] = {
        "base": (case.called, None),
        "words": (case.garment.words, None),
        "wrong": (f"{wrong.trigger} {case.garment.category}", adapter_of(wrong)),
        "chosen": (case.called, adapter_of(case)),
        "last": (case.called, adapter_of(case, 0)),
    }
    strip = [("trained on", view.drawing.picture) for view in views(case, 0, 2)]
    strip.append(("held out", photos[0].drawing.picture))
    found = {"truth": truth(photos, crew.engine)}
    for name, (called, adapter) in ways.items():
        made = [(view, repainted(crew.engine, case, view, called, adapter, seed)) for view in photos for seed in SEEDS]
        found[name] = float(np.mean([similarity(picture, view.drawing.garment, references) for view, picture in made]))
        strip.append((f"{name} {found[name]:.2f}", made[0][1]))
    found |= outfit(case, crew, references, strip)
    return found, strip


def truth(photos: Sequence[View], engine: Any) -> float:
    """The held-out pictures as the autoencoder shows them, each against the others."""
    scores = []
    for k, view in enumerate(photos):
        others = [(as_shown(engine, other.drawing.picture), other.drawing.garment)
                  for n, other in enumerate(photos) if n != k]  # fmt: skip
        scores.append(similarity(as_shown(engine, view.drawing.picture), view.drawing.garment, references_of(others)))
    return float(np.mean(scores))


def repainted(engine: Any, case: Case, view: View, called: str, adapter: Path | None, seed: int) -> Image.Image:
    """A held-out picture with its garment painted new."""
    from studio.diffusion.types import AdapterUse, Control, Generate
    from studio.pose.openpose import render_skeleton

    request = Generate(
        prompt=case.caption(view.spec, called),
        seed=seed,
        steps=STEPS,
        image=view.drawing.picture,
        mask=Image.fromarray(view.drawing.garment.astype(np.uint8) * 255),
        mask_blur=0,
        controls=(Control(render_skeleton(view.drawing.pose)),),
        adapters=() if adapter is None else (AdapterUse(adapter),),
    )
    made: Image.Image = engine.generate(request).images[0]
    return made


def outfit(case: Case, crew: Any, references: References, strip: list[tuple[str, Image.Image]]) -> dict[str, float]:
    """The garment on another person in an outfit change and in a picture from words, with the adapter and without."""
    from studio.shoot.flow import shoot

    found = {}
    spec = worn(Garment(case.garment.category, "grey", sleeve=case.garment.sleeve), random_spec(990_000 + case.index))
    person = draw(replace(spec, person=replace(spec.person, mannequin=False, skin="brown"), scene="park"), (512, 768))
    for name, adapters in (("outfit base", ()), ("outfit", ((adapter_of(case), 1.0),))):
        order = Order(kind=Kind.OUTFIT, photo=person.picture, mask=person.garment, outfit=case.called,
                      crop="head-to-toe", adapters=adapters, seed=4, steps=STEPS, size=(256, 384))  # fmt: skip
        outcome = shoot(order, engine=crew.engine, detector=crew.detector, weights=crew.weights)
        picture = outcome.shots[0].image
        found[name] = similarity(picture, outcome.table.garment, references)
        strip.append((f"{name} {found[name]:.2f}", picture))
    order = Order(kind=Kind.TEXT, persona="kofi", scene="beach", pose="hands-on-hips", outfit=case.called, seed=7,
                  adapters=((adapter_of(case), 1.0),), size=(256, 384))  # fmt: skip
    outcome = shoot(order, engine=crew.engine, detector=crew.detector, weights=crew.weights)
    strip.append(("from words", outcome.shots[0].image))
    return found


def laid_out(strip: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Pictures in a row, a title over each."""
    width, height, head, gap = 144, 216, 18, 6
    page = Image.new("RGB", (len(strip) * (width + gap), height + head + gap), (246, 248, 250))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    for column, (title, picture) in enumerate(strip):
        left = column * (width + gap)
        pen.text((left + 2, 2), title, fill=(22, 24, 29), font=font)
        page.paste(picture.resize((width, height), Image.Resampling.LANCZOS), (left, head))
    return page


def contact_sheet(strips: Sequence[Image.Image]) -> Image.Image:
    """A row for each garment."""
    page = Image.new("RGB", (strips[0].width, sum(strip.height for strip in strips)))
    top = 0
    for strip in strips:
        page.paste(strip, (0, top))
        top += strip.height
    return page


if __name__ == "__main__":
    main()
