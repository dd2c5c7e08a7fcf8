"""What ``generate`` may do around the engine's own request: read a skeleton off a photo, paint once more, larger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from PIL import Image

from studio.diffusion.types import Generate, Json, Preview, Progress, Resize, Result
from studio.errors import InputError
from studio.pose.openpose import draw_18, to_18
from studio.pose.types import WEAK_FROM
from studio.serve.fields import Fields

if TYPE_CHECKING:
    from studio.diffusion.types import Engine
    from studio.pose.detect import PoseDetector

FILTERS: Mapping[str, Image.Resampling] = {
    "lanczos": Image.Resampling.LANCZOS,
    "nearest": Image.Resampling.NEAREST,
}


@dataclass(frozen=True)
class Second:
    """The second pass over each picture: enlarged, then repainted from there.

    Attributes:
        width, height: of the result in pixels; the engine's limits hold.
        steps, strength: as ``Generate``'s steps and denoising_strength.
        enlarge: ``lanczos`` or ``nearest``.
        prompt, negative_prompt, sampler, scheduler: None for the first pass's.
        controls: whether the request's controls act here too.
    """

    width: int
    height: int
    steps: int | None = None
    strength: float = 0.7
    enlarge: str = "lanczos"
    prompt: str | None = None
    negative_prompt: str | None = None
    sampler: str | None = None
    scheduler: str | None = None
    controls: bool = True


def second_of(value: object) -> Second | None:
    """A second pass from JSON; None for none.

    Raises:
        InputError: ``second_<field>_invalid``, ``second_field_unknown``.
    """
    if value is None:
        return None
    fields, base = Fields("second", value), Second(0, 0)
    found = Second(
        width=fields.whole("width"),
        height=fields.whole("height"),
        steps=fields.whole("steps", None),
        strength=fields.number("strength", base.strength),
        enlarge=fields.text("enlarge", base.enlarge),
        prompt=fields.text("prompt", None),
        negative_prompt=fields.text("negative_prompt", None),
        sampler=fields.text("sampler", None),
        scheduler=fields.text("scheduler", None),
        controls=fields.flag("controls", True),
    )
    fields.finish()
    return found if found.enlarge in FILTERS else fields.refuse("enlarge", f"must be one of: {', '.join(FILTERS)}")


def places_of(value: object, count: int) -> tuple[int, ...]:
    """Which of ``count`` controls are photos that a skeleton is to be read off.

    Raises:
        InputError: ``detect_invalid``.
    """
    if not isinstance(value, list) or any(type(k) is not int or not 0 <= k < count for k in value):
        raise InputError("detect_invalid", "detect must be a list of the places of controls, counted from 0.")
    return tuple(value)


def read_skeletons(request: Generate, places: tuple[int, ...], detector: PoseDetector) -> Generate:
    """The request with a drawn skeleton in the place of each of these photos.

    Raises:
        InputError: ``control_without_person``: nobody was found on one of them.
    """
    controls = list(request.controls)
    for k in places:
        controls[k] = replace(controls[k], image=skeleton_of(controls[k].image, detector))
    return replace(request, controls=tuple(controls))


def skeleton_of(photo: Image.Image, detector: PoseDetector) -> Image.Image:
    """What was seen of the largest person, drawn at the photo's size; joints that were only guessed stay out."""
    found = detector.detect(photo)
    if found is None:
        raise InputError(
            "control_without_person", "Nobody was found on the control image: show a person, or a skeleton."
        )
    return draw_18(to_18(found.pose), photo.size, minimum=WEAK_FROM)


def paint(
    engine: Engine,
    request: Generate,
    second: Second | None,
    *,
    on_progress: Callable[[Progress], None],
    on_preview: Callable[[Preview], None],
    should_cancel: Callable[[], bool],
) -> Result:
    """One pass, or two of which the second takes each picture of the first for its own; as ``Engine.generate``."""
    passes = 1 if second is None else 1 + request.batch_size * request.iterations

    def pass_(number: int, asked: Generate) -> Result:
        def told(now: Progress) -> None:
            on_progress(replace(now, fraction=(number + now.fraction) / passes))

        return engine.generate(asked, on_progress=told, on_preview=on_preview, should_cancel=should_cancel)

    first = pass_(0, request)
    if second is None:
        return first
    pairs = zip(first.images, first.seeds, strict=True)
    larger = [pass_(k + 1, asked_again(request, second, image, seed)) for k, (image, seed) in enumerate(pairs)]
    return _together(first, larger, second)


def asked_again(request: Generate, second: Second, image: Image.Image, seed: int) -> Generate:
    """The second pass over one picture."""
    size = (second.width, second.height)
    return replace(
        request,
        image=image.resize(size, FILTERS[second.enlarge]),
        mask=None,
        only_masked=False,
        seed=(seed,),
        batch_size=1,
        iterations=1,
        width=size[0],
        height=size[1],
        resize=Resize.STRETCH,
        steps=second.steps or request.steps,
        denoising_strength=second.strength,
        prompt=request.prompt if second.prompt is None else second.prompt,
        negative_prompt=request.negative_prompt if second.negative_prompt is None else second.negative_prompt,
        sampler=second.sampler or request.sampler,
        scheduler=second.scheduler or request.scheduler,
        controls=request.controls if second.controls else (),
    )


def _together(first: Result, larger: list[Result], second: Second) -> Result:
    timings: dict[str, float] = dict(first.timings)
    for result in larger:
        for name, seconds in result.timings.items():
            timings[name] = timings.get(name, 0.0) + seconds
    said: dict[str, Json] = {**first.parameters, "second": dict[str, Any](asdict(second))}
    return Result(tuple(result.images[0] for result in larger), first.seeds, said, timings)
