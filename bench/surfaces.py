"""The same picture by three ways: /sdapi/v1/txt2img, /api/v1/shoots, and the studio alone; what each adds.

    .venv/bin/python -m bench.surfaces [--rounds 5] [--database postgres://...]

The product in a folder of its own: one granian process and `manage.py worker`, as `manage.py up` runs them. A shoot
from words is ordered over the REST API once; the prompt, size, steps and sampler that its recipe names are then what
txt2img and the bare engine are asked for, each with a drawn skeleton as a shoot has one, so that all paint the same
steps at the same size. Times are from the call to the picture's bytes in the caller's hands; "adds" is over the bare
engine's. The shoot is followed by asking every 0.1 s, and makes a contact sheet, a report and a table besides.
A picture that the first look holds back (it goes by colours) counts without its bytes.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from PIL import Image

from bench.web import PORT, ROOT, _database, _environment, _served, _where

URL = f"http://localhost:{PORT}"
ASK = 0.1  # seconds between two looks at a shoot
PATIENCE = 300.0


def main() -> None:
    """Run and print the table."""
    args = _arguments()
    with tempfile.TemporaryDirectory() as folder, _database(args.database) as url:
        environment = _environment(Path(folder), url) | {"IMODEL_WAITERS": "8", "IMODEL_WAIT_SECONDS": "300"}
        headers = {"Authorization": f"Bearer {_prepare(environment)}"}
        with _served("imodel_site.wsgi:application", environment, args), _worker(environment):
            rows = _measured(args, headers)
    _print(args, rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", default="", help="a postgres:// address whose role may create databases")
    parser.set_defaults(processes=1, threads=12)
    return parser.parse_args()


def _prepare(environment: dict[str, str]) -> str:
    """Tables, a shop with credits, and its key."""
    command = [sys.executable, "manage.py", "prepare"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    os.environ.update(environment)
    import django

    django.setup()
    from accounts.models import Merchant, User
    from accounts.scoping import merchant_scope
    from accounts.services import api_keys, credits

    merchant, owner = Merchant.objects.create(name="Bench"), User.objects.create_user("bench@example.com", None)
    with merchant_scope(merchant):
        credits.grant(merchant_id=merchant.pk, amount=10_000, by=owner, note="for the bench")
        return api_keys.make_key(
            merchant=merchant, by=owner, name="bench", scope="write", store="", live=True, lifetime=None
        ).text


@contextmanager
def _worker(environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def _measured(args: argparse.Namespace, headers: dict[str, str]) -> list[tuple[str, list[float]]]:
    """Each way warmed up once, then in turns, so that a busy moment hits all of them."""
    said = _parameters(_ordered(headers, seed=1), headers)
    asked = _as_txt2img(said)
    skeleton = _skeleton(asked["width"], asked["height"])
    bare = _studio(asked, skeleton, threads=said["engine"]["threads"])
    asked["alwayson_scripts"] = {"ControlNet": {"args": [_unit(skeleton)]}}
    ways: list[tuple[str, Callable[[int], Any]]] = [
        ("the bare engine, in one process", bare),
        ("/sdapi/v1/txt2img", lambda seed: _txt2img(headers, {**asked, "seed": seed})),
        (f"/api/v1/shoots, {said['steps']} steps", lambda seed: _ordered(headers, seed=seed)),
    ]
    for _name, way in ways:
        way(2)
    found: list[tuple[str, list[float]]] = [(name, []) for name, _way in ways]
    for turn in range(args.rounds):
        for (_name, times), (_same, way) in zip(found, ways, strict=True):
            began = time.perf_counter()
            way(100 + turn)
            times.append(time.perf_counter() - began)
    return found


def _ordered(headers: dict[str, str], *, seed: int) -> dict[str, Any]:
    """A shoot from words over the REST API, followed to its picture's bytes."""
    order = {"kind": "text", "count": 1, "seed": seed}
    answer = requests.post(f"{URL}/api/v1/shoots", json=order, headers=headers, timeout=60)
    answer.raise_for_status()
    shoot, until = answer.json(), time.monotonic() + PATIENCE
    while shoot["status"] in ("queued", "running") and time.monotonic() < until:
        time.sleep(ASK)
        shoot = requests.get(f"{URL}/api/v1/shoots/{shoot['id']}", headers=headers, timeout=60).json()
    assert shoot["status"] == "succeeded", shoot
    [picture] = shoot["pictures"]
    if "full" in picture["urls"]:
        requests.get(picture["urls"]["full"], timeout=60).raise_for_status()
    return dict(picture)


def _parameters(picture: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    """What its recipe says the engine was asked for."""
    whole = requests.get(f"{URL}/api/v1/pictures/{picture['id']}", headers=headers, timeout=60).json()
    found: dict[str, Any] = whole["recipe"]["engine"]["parameters"]
    return found


def _as_txt2img(said: dict[str, Any]) -> dict[str, Any]:
    """The same words, size and sampler as A1111 says them."""
    return {
        "prompt": said["prompt"],
        "negative_prompt": said["negative_prompt"],
        "steps": said["steps"],
        "cfg_scale": said["guidance_scale"],
        "width": said["width"],
        "height": said["height"],
        "sampler_name": said["sampler"],
        "scheduler": said["scheduler"],
    }


def _skeleton(width: int, height: int) -> Image.Image:
    """Somebody upright."""
    import numpy as np

    from studio.pose.openpose import draw_18

    across = (50, 50, 38, 34, 33, 62, 66, 67, 43, 42, 42, 57, 58, 58, 47, 53, 44, 56)
    down = (13, 23, 23, 36, 48, 23, 36, 48, 50, 70, 90, 50, 70, 90, 11, 11, 13, 13)
    points = [(x * width / 100, y * height / 100, 1.0) for x, y in zip(across, down, strict=True)]
    return draw_18(np.asarray(points, np.float32), (width, height))


def _unit(skeleton: Image.Image) -> dict[str, Any]:
    buffer = io.BytesIO()
    skeleton.save(buffer, "PNG")
    image = base64.b64encode(buffer.getvalue()).decode()
    return {"enabled": True, "image": image, "model": "openpose", "save_detected_map": False}


def _txt2img(headers: dict[str, str], asked: dict[str, Any]) -> list[bytes]:
    answer = requests.post(f"{URL}/sdapi/v1/txt2img", json=asked, headers=headers, timeout=PATIENCE)
    answer.raise_for_status()
    return [base64.b64decode(image) for image in answer.json()["images"]]


def _studio(asked: dict[str, Any], skeleton: Image.Image, *, threads: int) -> Callable[[int], bytes]:
    """The engine in this process, on as many threads as the worker's, and a PNG of what it makes."""
    import torch

    from studio.diffusion.engine import load_engine
    from studio.diffusion.types import Control, Generate

    torch.set_num_threads(threads)
    engine = load_engine("mini")

    def paint(seed: int) -> bytes:
        request = Generate(
            asked["prompt"], asked["negative_prompt"], seed, steps=asked["steps"], guidance_scale=asked["cfg_scale"],
            width=asked["width"], height=asked["height"], sampler=asked["sampler_name"], scheduler=asked["scheduler"],
            controls=(Control(skeleton),),
        )  # fmt: skip
        buffer = io.BytesIO()
        engine.generate(request).images[0].save(buffer, "PNG")
        return buffer.getvalue()

    return paint


def _print(args: argparse.Namespace, rows: list[tuple[str, list[float]]]) -> None:
    print(f"{_where(args)}, load {os.getloadavg()[0]:.1f}, {args.rounds} rounds in turns\n")
    print("| way | s, median | s, worst | adds, s |\n|---|---|---|---|")
    base = statistics.median(rows[0][1])
    for name, times in rows:
        middle = statistics.median(times)
        print(f"| {name} | {middle:.2f} | {max(times):.2f} | {middle - base:+.2f} |")


if __name__ == "__main__":
    main()
