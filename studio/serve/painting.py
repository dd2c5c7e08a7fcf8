"""The ops that paint: ``shoot``, ``replay`` and ``generate``, from the order's JSON to files and events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

import studio
from studio.diffusion.types import Generate, Preview, Progress, Result
from studio.files import write_all
from studio.images import open_photo
from studio.serve.fields import Fields, absolute
from studio.serve.inspecting import findings
from studio.serve.jobs import Job
from studio.serve.orders import generate_of, order_of
from studio.serve.outputs import Previews, Written, drawn, make_folder, papers, variants
from studio.serve.passes import paint, places_of, read_skeletons, second_of
from studio.serve.resident import Resident
from studio.shoot import flow
from studio.shoot import recipe as recipes
from studio.shoot.run import Crew
from studio.shoot.types import Listener, Outcome


def shoot(job: Job, resident: Resident) -> Mapping[str, Any]:
    """Carry out an order."""
    fields = Fields("message", job.body)
    asked, out = fields.any("order"), fields.path("out")
    fields.finish()
    order = order_of(asked)
    flow.check(order)
    with _bench(job, resident, order.engine, out) as bench:
        crew = bench.crew
        outcome = flow.shoot(
            order, engine=crew.engine, detector=crew.detector, weights=crew.weights, listener=bench.listener()
        )
        return bench.deliver(outcome)


def replay(job: Job, resident: Resident) -> Mapping[str, Any]:
    """Make a recipe's picture again."""
    fields = Fields("message", job.body)
    recipe, path, out = recipes.checked(fields.any("recipe")), fields.path("photo", None), fields.path("out")
    adapters = tuple(absolute(fields, "adapters", value) for value in fields.items("adapters"))
    fields.finish()
    photo = None if path is None else open_photo(path)
    recipes.order_of(recipe, photo, adapters)
    with _bench(job, resident, recipes.family_of(recipe), out) as bench:
        crew, ears = bench.crew, bench.listener()
        outcome = flow.replay(
            recipe,
            photo=photo,
            engine=crew.engine,
            detector=crew.detector,
            weights=crew.weights,
            listener=ears,
            adapters=adapters,
        )
        return bench.deliver(outcome)


def generate(job: Job, resident: Resident) -> Mapping[str, Any]:
    """Carry out an expert's request."""
    fields = Fields("message", job.body)
    asked, family, out = fields.any("request"), fields.text("engine", "mini"), fields.path("out")
    second, photos = second_of(fields.any("second", None)), fields.items("detect")
    fields.finish()
    request = generate_of(asked)
    places = places_of(photos, len(request.controls))
    with _bench(job, resident, family, out) as bench:
        request = read_skeletons(request, places, bench.crew.detector)
        result = paint(
            bench.crew.engine,
            request,
            second,
            on_progress=bench.painted,
            on_preview=bench.previewed,
            should_cancel=job.cancelled.is_set,
        )
        seen = request.controls[places[0]].image if places else None
        return bench.deliver_generated(request, result, family, skeleton=seen)


@dataclass(frozen=True)
class _Bench:
    """One painting job at work: the crew, where previews and files go, and since when."""

    job: Job
    crew: Crew
    resident: Resident
    out: Path
    previews: Previews
    began: float
    loaded: float

    def listener(self) -> Listener:
        """Relays a shoot's progress. Its own end is not the job's: the files come after it."""

        def progress(stage: str, fraction: float) -> None:
            self.job.progress(*(("files", 0.98) if stage == "done" else (stage, fraction)))

        return Listener(progress, self.previews.show, self.job.cancelled.is_set)

    def painted(self, now: Progress) -> None:
        """Relays an engine's progress."""
        self.job.progress("painting", 0.02 + 0.94 * now.fraction)

    def previewed(self, now: Preview) -> None:
        """Relays an engine's previews."""
        self.previews.show(now.images)

    def deliver(self, outcome: Outcome) -> dict[str, Any]:
        """Write everything of a shoot, tell of each shot, and return what ``done`` says."""
        kept = bool(outcome.table.locked.any())
        written = [
            variants(shot.image, shot.recipe, index=k, kept=kept, out=self.out) for k, shot in self._each(outcome.shots)
        ]
        beside = papers(outcome, out=self.out)
        seen = self.look([shot.image for shot in outcome.shots])
        took = self._write([*written, beside])
        for k, (shot, files) in enumerate(zip(outcome.shots, written, strict=True)):
            told = {**files.told, "report": shot.report.to_json(), "recipe": dict(shot.recipe), "finding": seen[k]}
            self.job.tell("shot", index=k, seed=shot.seed, **told)
        return {"timings": self._timings(outcome.timings, took), "files": dict(beside.told)}

    def deliver_generated(
        self, request: Generate, result: Result, family: str, *, skeleton: Image.Image | None = None
    ) -> dict[str, Any]:
        """As :meth:`deliver`, for pictures without a table and so without a report; ``skeleton``: read off a photo."""
        kept = request.mask is not None and request.paste_back
        all_recipes = [self._recipe(result, k, family) for k in range(len(result.images))]
        written = [
            variants(image, all_recipes[k], index=k, kept=kept, out=self.out) for k, image in self._each(result.images)
        ]
        seen = self.look(list(result.images))
        beside = drawn(skeleton, out=self.out)
        took = self._write([*written, beside])
        for k, files in enumerate(written):
            told = {**files.told, "report": None, "recipe": all_recipes[k], "finding": seen[k]}
            self.job.tell("shot", index=k, seed=result.seeds[k], **told)
        return {"timings": self._timings(result.timings, took), "files": dict(beside.told)}

    def look(self, images: list[Image.Image]) -> list[dict[str, Any] | None]:
        """The first look at finished pictures; None for one that could not be looked at."""
        self.job.stop_if_asked()
        return findings(images, self.resident, self.job.id)

    def _recipe(self, result: Result, index: int, family: str) -> dict[str, Any]:
        """What a generated picture was made from, laid out as a shoot's; it can't be replayed without its pictures."""
        return {
            "format": recipes.FORMAT,
            "studio": studio.__version__,
            "kind": "generate",
            "seed": result.seeds[index],
            "batch": {"seeds": list(result.seeds), "index": index},
            "engine": {"family": family, "weights": dict(self.crew.weights), "parameters": dict(result.parameters)},
        }

    def _each(self, items: tuple[Any, ...]) -> Iterator[tuple[int, Any]]:
        """Encoding many large pictures takes seconds: somebody may change their mind meanwhile."""
        for k, item in enumerate(items):
            self.job.stop_if_asked()
            yield k, item

    def _write(self, written: list[Written]) -> float:
        """All files of the job or none; the seconds it took."""
        began = time.perf_counter()
        self.job.stop_if_asked()
        write_all({path: data for files in written for path, data in files.contents.items()})
        self.job.progress("done", 1.0)
        return time.perf_counter() - began

    def _timings(self, spent: Mapping[str, float], writing: float) -> dict[str, float]:
        total = time.perf_counter() - self.began
        return {name: round(float(s), 4) for name, s in
                {**spent, "engine": self.loaded, "files": writing, "total": total}.items()}  # fmt: skip


@contextmanager
def _bench(job: Job, resident: Resident, family: str, out: Path) -> Iterator[_Bench]:
    """The crew at work on one job; what a job that fails has shown so far is removed."""
    began = time.perf_counter()
    make_folder(out)
    job.stop_if_asked()
    crew = resident.crew(family, loading=lambda: job.progress("weights", 0.0))
    job.stop_if_asked()
    previews = Previews(out, job.id, _preview_event(job))
    try:
        yield _Bench(job, crew, resident, out, previews, began, time.perf_counter() - began)
    except BaseException:
        previews.remove()
        raise


def _preview_event(job: Job) -> Callable[[str, int], None]:
    def tell(path: str, count: int) -> None:
        job.tell("preview", file=path, n=count)

    return tell
