"""The base family as a training needs it: frozen modules in the plan's precision, with low-rank layers of our own in.

Everything is loaded anew from the family's files: an engine that is resident keeps its modules untouched.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from studio.diffusion.parts import load_parts
from studio.diffusion.types import FamilyFiles
from studio.errors import EngineError, InputError
from studio.lora.types import Plan

NAME = "garment"  # what peft calls our adapter
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
# What kohya's sd-scripts tune with conv_dim set, but for the time embeddings' projections.
CONV = ("ff.net.0.proj", "ff.net.2", "proj_in", "proj_out", "conv1", "conv2", "conv_shortcut")
SAMPLERS = ("downsamplers.0.conv", "upsamplers.0.conv")
TEXT = ("q_proj", "k_proj", "v_proj", "out_proj")


@dataclass
class Networks:
    """A base family with a fresh adapter in it.

    Attributes:
        files: where it came from.
        parts: modules by name as diffusers' pipelines take them; the VAE in float32, the rest in ``dtype``.
        noise: the scheduler's config.
        device, dtype: where, and in what the frozen weights are.
        tuned: the components that got low-rank layers.
        compiled: the denoiser's call through torch.compile, None without.
    """

    files: FamilyFiles
    parts: dict[str, Any]
    noise: Mapping[str, Any]
    device: torch.device
    dtype: torch.dtype
    tuned: tuple[str, ...] = ()
    compiled: Any = None

    @property
    def unet(self) -> Any:
        """The denoiser."""
        return self.parts["unet"]

    @property
    def xl(self) -> bool:
        """Whether it is an SDXL: two text encoders, a pooled embedding, and sizes told to the denoiser."""
        return "text_encoder_2" in self.parts

    @property
    def inpaints(self) -> bool:
        """Whether the denoiser reads a mask and the masked picture's latents beside the noisy ones."""
        return int(self.unet.config.in_channels) == 9

    @property
    def text_encoders(self) -> list[tuple[Any, Any]]:
        """(tokenizer, encoder) of each."""
        names = ("", "_2") if self.xl else ("",)
        return [(self.parts[f"tokenizer{n}"], self.parts[f"text_encoder{n}"]) for n in names]

    def trainable(self) -> dict[str, torch.nn.Parameter]:
        """The adapter's own parameters, float32, by component and name, always in the same order."""
        return {
            f"{component}.{name}": parameter
            for component in self.tuned
            for name, parameter in self.parts[component].named_parameters()
            if parameter.requires_grad
        }

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Half-precision arithmetic when the plan asks for it."""
        if self.dtype == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)

    def modes(self, *, training: bool) -> None:
        """Dropout, gradient checkpointing and the compiled denoiser act while training only.

        Samples and validation have other shapes, each of which would be compiled anew for a few calls.
        """
        for component in self.tuned:
            self.parts[component].train(training)
        if self.compiled is not None:
            self.unet._compiled_call_impl = self.compiled if training else None

    @contextlib.contextmanager
    def awake(self) -> Iterator[None]:
        """While open, the parts that only encode and decode are on the device; on a GPU they wait outside of it."""
        idle = [part for name, part in self.parts.items() if _waits(name, self.tuned)]
        for part in idle:
            part.to(self.device)
        try:
            yield
        finally:
            if self.device.type == "cuda":
                for part in idle:
                    part.to("cpu")


def load_networks(files: FamilyFiles, plan: Plan, *, device: torch.device) -> Networks:
    """Load a family and put a fresh adapter into it, drawn from the plan's seed.

    Raises:
        InputError: ``precision_unsupported``; ``family_not_trainable`` when the denoiser takes other inputs than
            Stable Diffusion's four or nine channels, or predicts something else than noise or v.
        WeightsError: as :func:`load_parts`.
    """
    dtype = PRECISIONS[plan.precision]
    if dtype == torch.float16 and device.type == "cpu":
        raise InputError("precision_unsupported", "fp16 is trained on a GPU only: choose bf16 or fp32 here.")
    wanted = replace(files, parts=tuple(part for part in files.parts if not part.name.startswith("controlnet")))
    vae = replace(wanted, parts=tuple(part for part in wanted.parts if part.name == "vae"))
    rest = replace(wanted, parts=tuple(part for part in wanted.parts if part.name != "vae"))
    parts = load_parts(vae, device=device, dtype=torch.float32) | load_parts(rest, device=device, dtype=dtype)
    networks = Networks(files, parts, parts.pop("scheduler"), device, dtype)
    _check_family(networks)
    _with_adapter(networks, plan)
    if plan.compile:
        networks.unet.compile(dynamic=False)
        networks.compiled = networks.unet._compiled_call_impl
    return networks


def _check_family(networks: Networks) -> None:
    prediction = networks.noise.get("prediction_type", "epsilon")
    if int(networks.unet.config.in_channels) not in (4, 9) or prediction not in ("epsilon", "v_prediction"):
        raise InputError(
            "family_not_trainable",
            f"{networks.files.name} can not be trained here: its denoiser takes {networks.unet.config.in_channels} "
            f"channels and predicts {prediction}. Choose mini, sd15, sdxl or an import of them.",
        )


def _with_adapter(networks: Networks, plan: Plan) -> None:
    """Low-rank layers with the up matrices 0, so that the first step starts at the base itself."""
    from peft import LoraConfig, inject_adapter_in_model

    targets = {name: ends for name, ends in target_ends(plan).items() if name in networks.parts}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        for component, ends in targets.items():
            config = LoraConfig(
                r=plan.rank, lora_alpha=plan.alpha, init_lora_weights="gaussian", target_modules=list(ends)
            )
            inject_adapter_in_model(config, networks.parts[component], adapter_name=NAME)
    networks.tuned = tuple(targets)
    for parameter in networks.trainable().values():
        parameter.data = parameter.data.float()
    if not networks.trainable():
        raise EngineError("nothing_to_train", "No layer of the family was reached by the plan's modules.")


def target_ends(plan: Plan) -> dict[str, tuple[str, ...]]:
    """What the names of the tuned modules end in, by component."""
    unet = ATTENTION if plan.modules == "attention" else ATTENTION + CONV + SAMPLERS
    texts = dict.fromkeys(("text_encoder", "text_encoder_2"), TEXT) if plan.text_encoder else {}
    return {"unet": unet, **texts}


def _waits(name: str, tuned: tuple[str, ...]) -> bool:
    return name == "vae" or (name.startswith("text_encoder") and name not in tuned)


def bare_name(parameter: str) -> str:
    """``down...to_q.lora_A.garment.weight`` as files call it: ``down...to_q.lora_A.weight``."""
    return re.sub(rf"\.lora_([AB])\.{NAME}\.", r".lora_\1.", parameter)
