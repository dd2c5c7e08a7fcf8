"""What an executor says to the ops of training: a true protocol, real small files, nothing learned."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import save

from tests.generation.scripted import Gone, Link

STEPS = (10, 20, 30)


def adapter_bytes(step: int = 1, rank: int = 2, module: str = "unet.mid_block.attentions.0.to_q") -> bytes:
    """A small LoRA file; another step makes another file."""
    down = np.full((rank, 4), step, dtype=np.float32)
    up = np.full((4, rank), 1, dtype=np.float32)
    return save({f"{module}.lora_A.weight": down, f"{module}.lora_B.weight": up}, metadata={"step": str(step)})


def webp(colour: tuple[int, int, int] = (10, 20, 30)) -> bytes:
    """A flat picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 24), colour).save(buffer, "WEBP")
    return buffer.getvalue()


def step_event(link: Link, step: int) -> None:
    """As the executor tells of one step."""
    loss = 1.0 / (step + 1)
    link.say(
        "step", step=step, steps=STEPS[-1], loss=loss, smoothed=loss * 1.1, lr=1e-3, seconds=0.01, memory=2**20,
        losses=[[step - 1, loss * 1.5], [step, loss]],
    )  # fmt: skip


def checkpoint(link: Link, out: Path, step: int) -> dict[str, Any]:
    """A whole checkpoint on disk, and its event."""
    told = saved(out, step)
    link.say("checkpoint", **told)
    return told


def saved(out: Path, step: int) -> dict[str, Any]:
    """A whole checkpoint on disk that nobody is told of; what there is to tell."""
    folder = out / f"step-{step:06d}"
    folder.mkdir(exist_ok=True)
    data = adapter_bytes(step)
    (folder / "adapter.safetensors").write_bytes(data)
    (folder / "state.safetensors").write_bytes(b"state of " + str(step).encode())
    (folder / "state.json").write_text(f'{{"step": {step}}}')
    return as_told(folder)


def as_told(folder: Path) -> dict[str, Any]:
    """A checkpoint's folder as events tell it."""
    step = int(folder.name.removeprefix("step-"))
    data = (folder / "adapter.safetensors").read_bytes()
    return {
        "step": step, "folder": str(folder), "file": str(folder / "adapter.safetensors"),
        "sha256": hashlib.sha256(data).hexdigest(), "train_loss": 1.0 / step, "smoothed": 1.1 / step,
        "validation": 0.5 + abs(step - 20) / 100, "similarity": 0.9 - abs(step - 20) / 100,
    }  # fmt: skip


def all_told(out: Path) -> list[dict[str, Any]]:
    """Every whole checkpoint in ``out``, whichever try made it: what ``done`` tells, and what is chosen from."""
    return [as_told(found.parent) for found in sorted(out.glob("step-*/state.json"))]


def sample(link: Link, out: Path, step: int) -> None:
    """A sample on disk, and its event."""
    (out / "samples").mkdir(exist_ok=True)
    file = out / "samples" / f"{step:06d}-0.webp"
    file.write_bytes(webp((step, 0, 0)))
    link.say("sampled", step=step, n=0, seed=7, prompt="zkv17 dress", entry=0, file=str(file), similarity=0.7)


def first_step(message: dict[str, Any]) -> int:
    """Where it goes on: after the last checkpoint in ``out`` that has its state, as the trainer does."""
    found = sorted(Path(message["out"]).glob("step-*/state.safetensors"))
    return int(found[-1].parent.name.removeprefix("step-")) if found else 0


def trains(link: Link, message: dict[str, Any], *, until: int = STEPS[-1]) -> None:
    """What a training looks like from outside; ``until`` a step at which the executor is gone."""
    out = Path(message["out"])
    start = first_step(message)
    link.say("log", code="resumed" if start else "loading", **({"step": start} if start else {}))
    link.say("validated", step=start, loss=0.9)
    for step in STEPS:
        if step <= start:
            continue
        step_event(link, step)
        link.say("progress", stage="training", fraction=step / STEPS[-1])
        if step > until:
            raise Gone
        link.say("validated", step=step, loss=0.5 + abs(step - 20) / 100)
        sample(link, out, step)
        checkpoint(link, out, step)
    link.say("done", **ending(all_told(out), steps=STEPS[-1], best=20))


def ending(told: list[dict[str, Any]], *, steps: int, best: int, stopped: bool = False) -> dict[str, Any]:
    """The ``done`` of a training."""
    choice = {
        "best": best, "reasons": ["highest_similarity", "lowest_validation"], "overtrained_from": None, "signs": [],
        "flags": ["loss_line_not_reached"], "merits": [[best, 0.9]],
    }  # fmt: skip
    return {"steps": steps, "best": best, "stopped": stopped, "choice": choice, "checkpoints": told}


def trains_until_told(link: Link, message: dict[str, Any]) -> None:
    """Ten steps and a checkpoint; then whatever is asked of it."""
    out = Path(message["out"])
    step_event(link, 10)
    told = [checkpoint(link, out, 10)]
    while (heard := link.request()) is not None:
        if heard["op"] == "cancel":
            link.say("error", kind="cancelled", code="cancelled", message="Cancelled as asked.", retryable=False)
            return
        assert heard["op"] == "steer"
        if heard["ask"] == "sample":
            sample(link, out, 12)
        elif heard["ask"] == "save":
            told.append(checkpoint(link, out, 12))
        else:
            told.append(checkpoint(link, out, 15))
            link.say("done", **ending(told, steps=15, best=15, stopped=True))
            return
    raise Gone


def inspects(link: Link, message: dict[str, Any]) -> None:
    """Everything is well but one thing, and the first picture could be two."""
    out = Path(message["out"])
    out.mkdir()
    mask = out / "0-1.png"
    Image.new("L", (20, 40), 255).save(mask)
    photos = message["photos"]
    pictures = [
        {
            "index": number,
            "view": photo["view"] or "front",
            "caption": f"{message['trigger']} dress, picture {number}",
            "mask": None,
            "crops": [],
        }
        for number, photo in enumerate(photos)
    ]
    pictures[0]["crops"] = [{"box": [0, 0, 20, 40], "mask": str(mask)}, {"box": [30, 0, 50, 40], "mask": None}]
    problem: dict[str, Any] = {
        "code": "several_people",
        "message": "Two people.",
        "remedy": "Cut it in two.",
        "severity": "warn",
    }
    problem |= {"pictures": [0]}
    bucket = {"width": 128, "height": 192, "pictures": list(range(len(photos))), "cut": 0.0}
    link.say("progress", stage="pictures", fraction=0.5)
    held = len(photos) - 1
    often = {"side": 2, "back": 3}
    entries = [
        {"index": one["index"], "repeats": 1 if one["index"] == held else often.get(one["view"], 1)} for one in pictures
    ]
    flight = {
        "problems": [problem], "buckets": [bucket], "entries": entries,
        "held_out": [held], "steps": message["plan"]["steps"], "seconds": 60.0,
    }  # fmt: skip
    link.say("done", preflight=flight, pictures=pictures)


def compares(link: Link, message: dict[str, Any]) -> None:
    """Every cell in a colour of its own; lower weights score better."""
    out = Path(message["out"])
    out.mkdir()
    scores = {}
    for cell in message["cells"]:
        file = out / f"cell-{cell['n']}.webp"
        file.write_bytes(webp((cell["n"] * 5 % 256, 0, 0)))
        scores[cell["n"]] = 1.0 - cell["weight"] / 2 - cell["n"] / 1000
        link.say("cell", n=cell["n"], file=str(file), score=scores[cell["n"]], report=None)
    (out / "sheet.png").write_bytes(webp())
    (out / "grid.csv").write_text("n,score\r\n")
    best = max(scores, key=lambda n: scores[n])
    link.say("done", best=best, setting={}, sheet=str(out / "sheet.png"), csv=str(out / "grid.csv"))


def plays(link: Link, message: dict[str, Any]) -> None:
    """Each op as it goes well."""
    {"train": trains, "inspect_set": inspects, "compare": compares}[message["op"]](link, message)
