"""A process that trains and is killed: ``python -m tests.studio.lora.train_alone FAMILY SET OUT PLAN_JSON``.

Each step's loss is printed as soon as it is known, so that the parent can choose its moment.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.random_families import write_family
from studio.lora.training import train
from studio.lora.types import Callbacks, Plan
from tests.studio.lora.sets import small_set


def main() -> None:
    family, pictures, out = (Path(argument) for argument in sys.argv[1:4])
    plan = Plan.from_json(sys.argv[4])
    files = write_family(family, plan.family)

    def say(report: object) -> None:
        print(json.dumps({"step": report.step, "loss": report.loss}), flush=True)  # type: ignore[attr-defined]

    train(files, small_set(pictures, prior=2), plan, out=out, callbacks=Callbacks(on_step=say), device="cpu", threads=1)


if __name__ == "__main__":
    main()
