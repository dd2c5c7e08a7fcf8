"""The engine over diffusers' Stable Diffusion pipelines: resident, one job at a time.

``load_engine("mini")`` is the way in. Importing this module costs nothing: torch and diffusers come with the first
engine.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from PIL import Image

from studio.diffusion.canvas import Canvas, finish, prepare
from studio.diffusion.checks import complete
from studio.diffusion.machine import device_name, pick_device, pick_dtype, quiet, settled
from studio.diffusion.memory import free, guarded
from studio.diffusion.parts import control_kinds, from_located, load_parts
from studio.diffusion.samplers import SAMPLERS, make_scheduler
from studio.diffusion.types import (
    Capabilities,
    Defaults,
    FamilyFiles,
    Fill,
    Generate,
    Json,
    OnPreview,
    OnProgress,
    Result,
    ShouldCancel,
)
from studio.errors import EngineError

if TYPE_CHECKING:
    from studio.diffusion.watch import Callbacks, PreviewMap, Samples

VERSIONS = ("torch", "diffusers", "transformers", "peft")


def load_engine(name: str, *, device: str | None = None, dtype: str | None = None) -> DiffusersEngine:
    """The engine of a family that the weights room finds on this machine.

    Args:
        name: ``"mini"``, ``"sd15"``, ``"sdxl"``, or an imported family.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; None takes CUDA when there is some.
        dtype: ``"float32"``, ``"float16"``, ``"bfloat16"``; None takes float32 on a CPU, else float16.

    Raises:
        InputError: ``unknown_weights``, ``device_unknown``, ``dtype_unknown``.
        WeightsError: they are not there, damaged, or not safetensors; the message names the command that helps.
        OutOfMemory: they do not fit; nothing stays behind.
    """
    from studio.weights.store import locate

    return DiffusersEngine(from_located(locate(name)), device=device, dtype=dtype)


class DiffusersEngine:
    """See ``types.Engine``. Not for two threads at once: diffusers' pipelines are not."""

    def __init__(
        self, files: FamilyFiles, *, device: str | None = None, dtype: str | None = None, threads: int | None = None
    ) -> None:
        """Load a family's modules; ``threads`` fixes torch's CPU threads during jobs (None: the process's)."""
        from studio.diffusion import pipelines
        from studio.diffusion.adapters import AdapterSlots

        self._files = files
        self._device, self._dtype = pick_device(device), pick_dtype(dtype, pick_device(device))
        self._threads = threads
        self._busy = threading.Lock()
        self._colours: Samples | None = None
        self._kinds = control_kinds(files)
        with quiet():
            self._parts = guarded(
                lambda: load_parts(files, device=self._device, dtype=self._dtype),
                advice="These weights do not fit: use a smaller family or another device.",
            )
            self._noise = self._parts.pop("scheduler")
            self._parts["vae"].enable_slicing()
            scheduler = make_scheduler(self._noise, "Euler a", "Automatic", seeds=())
            self._plain = pipelines.build(files.inpaint, self._parts, files.arguments, scheduler=scheduler)
        self._adapters = AdapterSlots(self._plain)

    @property
    def name(self) -> str:
        """The family's name."""
        return self._files.name

    @property
    def capabilities(self) -> Capabilities:
        """What these weights take."""
        return Capabilities(controls=frozenset(self._kinds), samplers=tuple(SAMPLERS))

    @property
    def defaults(self) -> Defaults:
        """The family's own settings."""
        return self._files.defaults

    @property
    def files(self) -> FamilyFiles:
        """What it was made from."""
        return self._files

    @property
    def parts(self) -> Mapping[str, Any]:
        """The loaded modules by name, for benchmarks and training; not to be changed while a job runs."""
        return self._parts

    def generate(
        self,
        request: Generate,
        *,
        on_progress: OnProgress | None = None,
        on_preview: OnPreview | None = None,
        should_cancel: ShouldCancel | None = None,
    ) -> Result:
        """See ``types.Engine.generate``."""
        from studio.diffusion.watch import Callbacks

        whole = complete(request, self.defaults, self.capabilities)
        make_scheduler(self._noise, str(whole.sampler), whole.scheduler, seeds=())  # refuses before anything runs
        canvas = prepare(whole)
        if not self._busy.acquire(blocking=False):
            raise EngineError("engine_busy", "This engine is at work on another job; ask again later.", retryable=True)
        try:
            callbacks = Callbacks(on_progress, on_preview, should_cancel)
            advice = "Make the picture or the batch smaller."
            return guarded(lambda: self._run(whole, canvas, callbacks), advice=advice)
        finally:
            self._busy.release()

    def describe(self) -> dict[str, Json]:
        """What a recipe must hold about the engine."""
        import torch

        versions: dict[str, Json] = {name: importlib.metadata.version(name) for name in VERSIONS}
        return {
            "family": self.name,
            "device": device_name(self._device),
            "dtype": str(self._dtype).removeprefix("torch."),
            "threads": self._threads or torch.get_num_threads(),
            "versions": versions,
        }

    def close(self) -> None:
        """Give the memory back."""
        self._parts = {}
        del self._plain, self._adapters
        free()

    def _run(self, request: Generate, canvas: Canvas, callbacks: Callbacks) -> Result:
        from studio.diffusion.pipelines import encode_once

        started = time.perf_counter()
        seeds = request.seed if isinstance(request.seed, tuple) else ()
        pictures: list[Image.Image] = []
        timings = dict.fromkeys(("adapters", "encode", "steps", "decode", "composite"), 0.0)
        with quiet(), settled(self._device, self._threads), encode_once(self._parts["vae"]):
            hashes = self._adapters.use(request.adapters)
            timings["adapters"] = time.perf_counter() - started
            for batch in range(request.iterations):
                own = seeds[batch * request.batch_size : (batch + 1) * request.batch_size]
                pictures += self._batch(request, canvas, callbacks, own, batch + 1, timings)
            parameters = self._parameters(request, canvas, hashes)
        before = time.perf_counter()
        images = tuple(finish(canvas, picture, paste_back=request.paste_back) for picture in pictures)
        timings["composite"] = time.perf_counter() - before
        timings["total"] = time.perf_counter() - started
        return Result(images, seeds, parameters, timings)

    def _batch(
        self,
        request: Generate,
        canvas: Canvas,
        callbacks: Callbacks,
        seeds: tuple[int, ...],
        batch: int,
        timings: dict[str, float],
    ) -> list[Image.Image]:
        from studio.diffusion.watch import BatchWatch

        pipeline = self._pipeline(request)
        pipeline.scheduler = make_scheduler(self._noise, str(request.sampler), request.scheduler, seeds=seeds)
        pipeline.latent_fill = self._latent_fill(request, canvas)
        preview = self._preview(request, canvas) if callbacks.on_preview is not None else None
        watch = BatchWatch(callbacks, batch=batch, batches=request.iterations, preview=preview)
        with watch.over(pipeline):
            output = pipeline(**call_arguments(request, canvas, seeds), callback_on_step_end=watch.step_done)
        for stage, seconds in watch.timings.items():
            timings[stage] += seconds
        return list(output.images)

    def _pipeline(self, request: Generate) -> Any:
        """The plain pipeline, or one around this request's ControlNets; both over the same modules."""
        from studio.diffusion import pipelines

        if not request.controls:
            return self._plain
        nets = [self._parts[self._kinds[control.kind]] for control in request.controls]
        control = nets[0] if len(nets) == 1 else pipelines.SkippingControlNets(nets)
        own = {"controlnet": control, "scheduler": self._plain.scheduler}
        return pipelines.build(self._files.control_inpaint, self._parts, self._files.arguments, **own)

    def _latent_fill(self, request: Generate, canvas: Canvas) -> Any:
        if request.mask is None or request.fill not in (Fill.LATENT_NOISE, Fill.LATENT_NOTHING):
            return None
        if request.denoising_strength == 1:  # starts from pure noise, the latents are not looked at
            return None
        import torch

        from studio.diffusion.pipelines import LatentFill

        hard = self._plain.mask_processor.preprocess(canvas.mask, height=canvas.size[1], width=canvas.size[0])
        scale = self._plain.vae_scale_factor
        mask = torch.nn.functional.interpolate(hard, size=(canvas.size[1] // scale, canvas.size[0] // scale))
        return LatentFill(mask, noise=request.fill == Fill.LATENT_NOISE)

    def _preview(self, request: Generate, canvas: Canvas) -> PreviewMap:
        """A picture that starts from another keeps most of its colours, so that one takes part in the fit."""
        from studio.diffusion.watch import fit_preview, preview_samples, soft_colours

        def samples(picture: Image.Image) -> Samples:
            return preview_samples(self._plain, picture, device=self._device, dtype=self._dtype)

        if self._colours is None:
            self._colours = samples(soft_colours())
        own = None if request.image is None else samples(canvas.image)
        return fit_preview(self._colours, own, device=self._device)

    def _parameters(self, request: Generate, canvas: Canvas, hashes: tuple[str, ...]) -> dict[str, Json]:
        pictures = ("image", "mask", "controls", "adapters", "references", "seed")
        plain = {name: value for name, value in vars(request).items() if name not in pictures}
        controls = [{**asdict(replace(c, image=None)), "image": digest(c.image)} for c in request.controls]  # type: ignore[arg-type]
        adapters = [
            {"sha256": sha, "weight": use.weight, "text_encoder_weight": use.text_encoder_weight}
            for sha, use in zip(hashes, request.adapters, strict=True)
        ]
        return {
            **plain,
            "seeds": list(request.seed) if isinstance(request.seed, tuple) else [],
            "fill": int(request.fill),
            "resize": str(request.resize),
            "image": digest(request.image),
            "mask": digest(request.mask),
            "controls": controls,
            "adapters": adapters,
            "box": list(canvas.box),
            "prompt_cut": self._cut_off(request.prompt),
            "engine": self.describe(),
        }

    def _cut_off(self, prompt: str) -> str:
        """The end of the prompt that the text encoder does not see, empty when it sees all."""
        tokenizer = self._parts["tokenizer"]
        ids = tokenizer(prompt, truncation=False).input_ids
        return str(tokenizer.decode(ids[tokenizer.model_max_length - 1 : -1])).strip()


def call_arguments(request: Generate, canvas: Canvas, seeds: tuple[int, ...]) -> dict[str, Any]:
    """What a request is in the pipelines' own words.

    As many copies of image and mask as pictures: only then is each picture's randomness, the VAE's included, drawn
    from its own generator. Generators live on the CPU, so that a seed means the same noise on every device.
    """
    import torch

    count = len(seeds)
    arguments = {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt or None,
        "num_images_per_prompt": count,
        "image": [canvas.image] * count,
        "mask_image": [canvas.mask] * count,
        "width": canvas.size[0],
        "height": canvas.size[1],
        "strength": float(request.denoising_strength),
        "num_inference_steps": request.steps,
        "guidance_scale": float(request.guidance_scale or 0.0),
        "generator": [torch.Generator("cpu").manual_seed(seed) for seed in seeds],
        "clip_skip": None if request.clip_skip == 1 else request.clip_skip - 1,
        "output_type": "pil",
    }
    return arguments | control_arguments(request, canvas)


def control_arguments(request: Generate, canvas: Canvas) -> dict[str, Any]:
    """The ControlNets' part of a call: plain values for one, lists for several."""
    if not request.controls:
        return {}
    columns: dict[str, list[Any]] = {
        "control_image": list(canvas.controls),
        "controlnet_conditioning_scale": [float(control.weight) for control in request.controls],
        "control_guidance_start": [float(control.start) for control in request.controls],
        "control_guidance_end": [float(control.end) for control in request.controls],
    }
    return {name: values[0] if len(values) == 1 else values for name, values in columns.items()}


def digest(image: Image.Image | None) -> str | None:
    """SHA-256 over a picture's mode, size and pixels."""
    if image is None:
        return None
    head = f"{image.mode} {image.width} {image.height} ".encode()
    return hashlib.sha256(head + image.tobytes()).hexdigest()
