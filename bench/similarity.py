"""Does the garment similarity tell a garment from its near neighbours? On drawn garments, seen on others, elsewhere.

    python -m bench.similarity [--garments 40] [--first 0] [--size 128x192] [--soft] [--fit] [--weights 0.03 0.06 0.012]

Each garment is drawn in four reference views and four others: another wearer, pose, scene and light each time. A
neighbour differs in one thing. The columns: mean similarity to the references, and how often a view of the garment is
more like them than a view of the neighbour (the area under the ROC curve, in per cent). ``--soft`` sends every view but
the references through the bundled autoencoder, as painted samples are. ``--fit`` prints weights of colour, pattern and
layout fitted on these garments by logistic regression, ``--weights`` takes others than the committed ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.lora.similarity import WEIGHTS, Look, distances, look
from studio.mini.world import Garment, Spec, draw, random_spec
from studio.mini.world.prints import PRINTS
from studio.mini.world.spec import COLOURS, PATTERNS

VIEWS = 4
CATEGORIES = ("dress", "t-shirt", "shirt", "sweater", "coat")
KINDS = ("itself", "other colour", "other second colour", "other pattern", "other category", "another garment")


@dataclass(frozen=True)
class Case:
    """One garment: its references, and views of it and of each neighbour, by kind; (views, references, 3) distances."""

    garment: Garment
    found: dict[str, NDArray[np.float64]]


def main() -> None:
    """Draw, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--garments", type=int, default=40)
    parser.add_argument("--first", type=int, default=0, help="seed of the first garment")
    parser.add_argument("--size", default="128x192")
    parser.add_argument("--soft", action="store_true")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--weights", type=float, nargs=3, default=WEIGHTS)
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    soften = softener() if options.soft else lambda picture: picture
    cases = [case(seed, (width, height), soften) for seed in range(options.first, options.first + options.garments)]
    if options.fit:
        print("weights", fitted(cases))
    table(cases, tuple(options.weights))


def case(seed: int, size: tuple[int, int], soften: Any) -> Case:
    """Draw one garment and its neighbours, and measure."""
    rng = np.random.default_rng((seed, 77))
    garment = invented(rng)
    references = list(views(garment, rng, size, lambda picture: picture))
    found = {}
    for kind, other in neighbours(garment, rng).items():
        looks = list(views(other, rng, size, soften))
        found[kind] = np.array([[distances(one, reference) for reference in references] for one in looks])
    return Case(garment, found)


def invented(rng: np.random.Generator) -> Garment:
    """A garment in the world's colours or in others, plain, patterned or printed."""
    category = str(rng.choice(CATEGORIES))
    pattern = str(rng.choice([*PATTERNS, *PRINTS]))
    colours = [colour(rng) for _ in range(3)]
    sleeve = "long" if category in ("shirt", "sweater", "coat") else str(rng.choice(["short", "long", "none"]))
    return Garment(category, colours[0], pattern, colours[1], sleeve, "knee", third=colours[2])


def colour(rng: np.random.Generator) -> str:
    """A name of the world's, or a colour that has none there."""
    if rng.random() < 0.5:
        return str(rng.choice(list(COLOURS)))
    return "#" + "".join(f"{int(value):02x}" for value in rng.integers(20, 240, 3))


def neighbours(garment: Garment, rng: np.random.Generator) -> dict[str, Garment]:
    """The garment, and others that differ from it in one thing; no second colour where the pattern shows none."""
    patterns = [name for name in [*PATTERNS, *PRINTS] if name != garment.pattern]
    found = {
        "itself": garment,
        "other colour": replace(garment, colour=unlike(garment.colour, rng)),
        "other pattern": replace(garment, pattern=str(rng.choice(patterns))),
        "other category": replace(garment, category=str(rng.choice([c for c in CATEGORIES if c != garment.category]))),
        "another garment": invented(rng),
    }
    if garment.pattern != "plain":
        found["other second colour"] = replace(garment, second=unlike(garment.second, rng))
    return found


def unlike(name: str, rng: np.random.Generator) -> str:
    """Another colour, which an eye would call another (20 and more apart in CIELAB)."""
    from skimage.color import deltaE_ciede2000, rgb2lab

    from studio.mini.world.spec import tone

    own = rgb2lab(np.asarray(tone(name), np.uint8)[None, None])
    while True:
        other = colour(rng)
        if deltaE_ciede2000(own, rgb2lab(np.asarray(tone(other), np.uint8)[None, None]))[0, 0] >= 20:
            return other


def views(garment: Garment, rng: np.random.Generator, size: tuple[int, int], soften: Any) -> Iterator[Look]:
    """The garment on ``VIEWS`` random people."""
    for _ in range(VIEWS):
        drawing = draw(worn(garment, random_spec(int(rng.integers(1 << 30)))), size)
        yield look(soften(drawing.picture), drawing.garment)


def worn(garment: Garment, spec: Spec) -> Spec:
    """The spec's person, pose and scene in this garment, all of it in the frame."""
    if garment.category == "dress":
        return replace(spec, full=garment, upper=None, lower=None, crop="head-to-toe")
    lower = spec.lower or Garment("trousers", "navy")
    return replace(spec, full=None, upper=garment, lower=lower, crop="head-to-toe")


def softener() -> Any:
    """What the bundled autoencoder makes of a picture."""
    import torch
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    import studio.mini

    vae = AutoencoderKL.from_pretrained(Path(studio.mini.__file__).parent / "weights" / "vae").float().eval()

    @torch.no_grad()
    def soften(picture: Image.Image) -> Image.Image:
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 127.5 - 1
        made = vae.decode(vae.encode(pixels).latent_dist.mean).sample[0].clamp(-1, 1)
        return Image.fromarray(((made + 1) * 127.5).round().byte().permute(1, 2, 0).numpy())

    return soften


def score(found: NDArray[np.float64], weights: tuple[float, ...]) -> NDArray[np.float64]:
    """(views,) similarities of (views, references, 3) distances, as ``similarity`` has them."""
    each = np.sort(np.exp(-found @ np.asarray(weights)), axis=1)[:, ::-1]
    return np.asarray(each[:, : (each.shape[1] + 1) // 2].mean(axis=1))


def table(cases: list[Case], weights: tuple[float, ...]) -> None:
    """A line for each kind of neighbour."""
    print(f"{'':20} {'mean':>6} {'5 %':>6} {'95 %':>6} {'told apart, %':>14}")
    for kind in KINDS:
        pairs = [
            (score(one.found["itself"], weights), score(one.found[kind], weights)) for one in cases if kind in one.found
        ]
        values = np.concatenate([other for _, other in pairs])
        wins = np.mean([np.mean(own[:, None] > other[None]) + np.mean(own[:, None] == other[None]) / 2
                        for own, other in pairs])  # fmt: skip
        low, high = np.quantile(values, [0.05, 0.95])
        apart = "" if kind == "itself" else f"{100 * wins:.1f}"
        print(f"{kind:20} {values.mean():6.2f} {low:6.2f} {high:6.2f} {apart:>14}")


def fitted(cases: list[Case]) -> list[float]:
    """Weights by logistic regression of "the same garment?" on the distances; scaled, so that itself is at 0.8."""
    from scipy.optimize import minimize

    x = [one.found[kind].min(axis=1) for one in cases for kind in KINDS if kind in one.found]
    same = [np.full(VIEWS, kind == "itself") for one in cases for kind in KINDS if kind in one.found]
    far, y = np.concatenate(x), np.concatenate(same)
    balance = np.where(y, 0.5 / y.mean(), 0.5 / (1 - y.mean()))

    def loss(theta: NDArray[np.float64]) -> float:
        logit = theta[0] - far @ np.exp(theta[1:])
        return float(np.mean(balance * (np.logaddexp(0, logit) - y * logit)))

    weights = np.exp(minimize(loss, np.array([1.0, -2, -2, -2]), method="Nelder-Mead", options={"maxiter": 4000}).x[1:])
    scale = np.log(1 / 0.8) / float((far[y] @ weights).mean())
    return [round(float(weight * scale), 4) for weight in weights]


if __name__ == "__main__":
    main()
