"""AUTOMATIC1111's sampler and schedule names, mapped to diffusers' schedulers.

A table, so that what is known can be listed without importing diffusers. A scheduler is made anew for each batch: it
holds the job's state, and that of DPM++ SDE also the pictures' seeds.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from studio.errors import InputError

Settings = Mapping[str, Any]
SIGMA_FLAGS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas")
SCHEDULES: Mapping[str, Settings] = MappingProxyType(
    {
        "Automatic": {},
        "Uniform": {"timestep_spacing": "linspace"},
        "Normal": {"timestep_spacing": "linspace"},
        "SGM Uniform": {"timestep_spacing": "trailing"},
        "Simple": {"timestep_spacing": "trailing"},
        "DDIM": {"timestep_spacing": "leading"},
        "Karras": {"use_karras_sigmas": True},
        "Exponential": {"use_exponential_sigmas": True},
        "Beta": {"use_beta_sigmas": True},
    }
)
SHORT = ("Karras", "Exponential")  # the schedules that may stand at the end of a sampler's name


@dataclass(frozen=True)
class Sampler:
    """A diffusers scheduler and the settings that make it the sampler of that name.

    Attributes:
        class_name: in ``diffusers``.
        settings: of its constructor.
        sigmas: it takes the Karras, Exponential and Beta schedules.
        zero_snr: it can start from pure noise (Lin et al. 2023, https://arxiv.org/abs/2305.08891).
        seeded: it draws noise from the pictures' seeds instead of their generators.
    """

    class_name: str
    settings: Settings = field(default_factory=dict)
    sigmas: bool = True
    zero_snr: bool = False
    seeded: bool = False

    def takes(self, schedule: str) -> bool:
        """Whether diffusers has this sampler with that schedule."""
        return self.sigmas or not set(SCHEDULES[schedule]) & set(SIGMA_FLAGS)


def _multistep(algorithm: str, order: int = 2, solver: str = "midpoint") -> Sampler:
    settings = {"algorithm_type": algorithm, "solver_order": order, "solver_type": solver}
    return Sampler("DPMSolverMultistepScheduler", settings, zero_snr=True)


_PLMS = Sampler("PNDMScheduler", {"skip_prk_steps": True}, sigmas=False)
SAMPLERS: Mapping[str, Sampler] = MappingProxyType(
    {
        "Euler": Sampler("EulerDiscreteScheduler", zero_snr=True),
        "Euler a": Sampler("EulerAncestralDiscreteScheduler", sigmas=False, zero_snr=True),
        "LMS": Sampler("LMSDiscreteScheduler"),
        "Heun": Sampler("HeunDiscreteScheduler"),
        "DPM2": Sampler("KDPM2DiscreteScheduler"),
        "DPM2 a": Sampler("KDPM2AncestralDiscreteScheduler"),
        "DPM++ 2M": _multistep("dpmsolver++"),
        "DPM++ 2M SDE": _multistep("sde-dpmsolver++"),
        "DPM++ 2M SDE Heun": _multistep("sde-dpmsolver++", solver="heun"),
        "DPM++ 3M SDE": _multistep("sde-dpmsolver++", order=3),
        "DPM++ SDE": Sampler("DPMSolverSDEScheduler", seeded=True),
        "DDIM": Sampler("DDIMScheduler", sigmas=False, zero_snr=True),
        "DDPM": Sampler("DDPMScheduler", sigmas=False, zero_snr=True),
        "PLMS": _PLMS,
        "PNDM": _PLMS,
        "UniPC": Sampler("UniPCMultistepScheduler", zero_snr=True),
        "DEIS": Sampler("DEISMultistepScheduler"),
        "LCM": Sampler("LCMScheduler", sigmas=False, zero_snr=True),
        "TCD": Sampler("TCDScheduler", sigmas=False, zero_snr=True),
    }
)


def sampler_names() -> tuple[str, ...]:
    """Every name that is taken, the short forms with their schedule included."""
    short = (f"{name} {schedule}" for name, one in SAMPLERS.items() for schedule in SHORT if one.takes(schedule))
    return (*SAMPLERS, *short)


def resolve(sampler: str, scheduler: str = "Automatic") -> tuple[str, str]:
    """Split ``"DPM++ 2M Karras"`` into ``("DPM++ 2M", "Karras")``; case does not matter.

    Raises:
        InputError: ``unknown_sampler``, ``unknown_scheduler``, or ``sampler_schedule_mismatch`` when both are known
            but diffusers has no such pair.
    """
    name, schedule = _find(sampler, SAMPLERS), _find_schedule(scheduler)
    if name is None:
        stem, _, suffix = sampler.strip().rpartition(" ")
        name, short = _find(stem, SAMPLERS), _find(suffix, SHORT)
        if name is None or short is None:
            raise _unknown(sampler)
        if schedule not in ("Automatic", short):
            raise InputError("sampler_schedule_mismatch", f"{sampler!r} names its scheduler; {scheduler!r} is another.")
        schedule = short
    if not SAMPLERS[name].takes(schedule):
        able = ", ".join(other for other, one in SAMPLERS.items() if one.takes(schedule))
        raise InputError(
            "sampler_schedule_mismatch",
            f"The sampler {name!r} has no {schedule!r} schedule. Use 'Automatic', or one of: {able}.",
        )
    return name, schedule


def make_scheduler(family: Settings, sampler: str, scheduler: str, *, seeds: Sequence[int]) -> Any:
    """The diffusers scheduler of a sampler over a family's noise schedule.

    Args:
        family: the config of the scheduler that came with the weights (betas, prediction type, spacing).
        sampler, scheduler: as :func:`resolve` returned them.
        seeds: the batch's, in order.

    Raises:
        InputError: ``sampler_not_for_family`` when the family's noise ends at pure noise (zero terminal SNR) and the
            sampler can not start there.
    """
    chosen = SAMPLERS[sampler]
    if family.get("rescale_betas_zero_snr") and not chosen.zero_snr:
        able = ", ".join(name for name, one in SAMPLERS.items() if one.zero_snr)
        raise InputError(
            "sampler_not_for_family",
            f"The sampler {sampler!r} can not start from pure noise, as these weights need. Use one of: {able}.",
        )
    settings = {**chosen.settings, **SCHEDULES[scheduler]}
    if chosen.sigmas and scheduler != "Automatic":
        settings = {**dict.fromkeys(SIGMA_FLAGS, False), **settings}
    if chosen.seeded:
        settings["noise_sampler_seed"] = list(seeds)
    return scheduler_class(sampler).from_config(dict(family), **settings)


def scheduler_class(sampler: str) -> Any:
    """The sampler's diffusers class; diffusers' top level is lazy, so only the class's own module is imported."""
    return getattr(importlib.import_module("diffusers"), SAMPLERS[sampler].class_name)


def _find(name: str, known: Mapping[str, Any] | Sequence[str]) -> str | None:
    wanted = name.strip().casefold()
    return next((one for one in known if one.casefold() == wanted), None)


def _find_schedule(name: str) -> str:
    found = _find(name, SCHEDULES)
    if found is None:
        known = ", ".join(SCHEDULES)
        raise InputError("unknown_scheduler", f"There is no scheduler called {name!r}. Choose one of: {known}.")
    return found


def _unknown(sampler: str) -> InputError:
    known = ", ".join(sampler_names())
    return InputError("unknown_sampler", f"There is no sampler called {sampler!r}. Choose one of: {known}.")
