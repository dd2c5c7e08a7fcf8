"""What can be listed: samplers, weights, LoRAs, scripts. Names only; nothing here tells where a file lies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings

import studio
from generation.expert import generating_families, sampler_names
from generation.surfaces.a1111 import asked, control, extras, plot
from studio.diffusion.samplers import SCHEDULES

SCRIPT_ARGS: tuple[tuple[str, Any], ...] = (
    ("X type", 0), ("X values", ""), ("X values", []), ("Y type", 0), ("Y values", ""), ("Y values", []),
    ("Z type", 0), ("Z values", ""), ("Z values", []), ("Draw legend", True), ("Include Sub Images", False),
    ("Include Sub Grids", False), ("Keep -1 for seeds", False), ("Vary seeds for X", False),
    ("Vary seeds for Y", False), ("Vary seeds for Z", False), ("Grid margins (px)", 0), ("Use text inputs", False),
)  # fmt: skip


def samplers() -> list[dict[str, Any]]:
    """``/samplers``."""
    return [{"name": name, "aliases": [], "options": {}} for name in sampler_names()]


def schedulers() -> list[dict[str, Any]]:
    """``/schedulers``."""
    return [
        {
            "name": name.lower().replace(" ", "_"),
            "label": name,
            "aliases": None,
            "default_rho": 7.0 if name == "Karras" else -1.0,
            "need_inner_model": False,
        }
        for name in SCHEDULES
    ]


def models() -> list[dict[str, Any]]:
    """``/sd-models``: the families of weights that make pictures here."""
    return [
        {"title": name, "model_name": name, "hash": None, "sha256": None, "filename": name, "config": None}
        for name in generating_families()
    ]


def upscalers() -> list[dict[str, Any]]:
    """``/upscalers``."""
    return [
        {"name": name, "model_name": None, "model_path": None, "model_url": None, "scale": 4}
        for name in extras.UPSCALERS
    ]


def latent_upscale_modes() -> list[dict[str, Any]]:
    """``/latent-upscale-modes``: the second pass enlarges in pixels."""
    return []


def vaes() -> list[dict[str, Any]]:
    """``/sd-vae``: each family has its own, and none to change it for."""
    return []


def nothing() -> list[Any]:
    """What we have none of: styles, face restorers, hypernetworks."""
    return []


def embeddings() -> dict[str, Any]:
    """``/embeddings``."""
    return {"loaded": {}, "skipped": {}}


def scripts() -> dict[str, list[str]]:
    """``/scripts``: by these names clients see what a request may have."""
    names = [asked.PLOT, asked.CONTROLNET]
    return {"txt2img": names, "img2img": names}


def script_info() -> list[dict[str, Any]]:
    """``/script-info``."""
    args: list[dict[str, Any]] = [
        {"label": label, "value": value, "minimum": None, "maximum": None, "step": None, "choices": None}
        for label, value in SCRIPT_ARGS
    ]
    unit = [
        {"label": "ControlNet Unit", "value": None, "minimum": None, "maximum": None, "step": None, "choices": None}
    ]
    found = []
    for image, axes in ((False, plot.TEXT_AXES), (True, plot.IMAGE_AXES)):
        kinds = [{**one, "choices": list(axes)} if one["label"].endswith(" type") else one for one in args]
        found.append({"name": asked.PLOT, "is_alwayson": False, "is_img2img": image, "args": kinds})
        found.append({"name": asked.CONTROLNET, "is_alwayson": True, "is_img2img": image, "args": unit * control.UNITS})
    return found


def memory() -> dict[str, Any]:
    """``/memory``: of the web process; the engine's is another machine's, and the operator's to see."""
    used = _resident()
    return {"ram": {"free": None, "used": used, "total": None}, "cuda": {"error": "unavailable"}}


def _resident() -> int | None:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    except (OSError, ValueError, IndexError):
        return None


def flags() -> dict[str, Any]:
    """``/cmd-flags``: those that say something about how this API behaves."""
    return {"api": True, "api_auth": True, "nowebui": True, "no_half": False, "medvram": False, "lowvram": False,
            "disable_console_progressbars": True, "python": f"{sys.version_info.major}.{sys.version_info.minor}",
            "wait_seconds": settings.WAIT_SECONDS}  # fmt: skip


def extensions() -> list[dict[str, Any]]:
    """``/extensions``: what is spoken beside A1111's own."""
    said = {
        "remote": "",
        "branch": "",
        "commit_hash": "",
        "version": studio.__version__,
        "commit_date": 0,
        "enabled": True,
    }
    return [{"name": name, **said} for name in ("sd-webui-controlnet", "sd-webui-segment-anything")]
