"""Our trainer as bench.lora_training's other contender: ``python -m bench.lora_ours JOB.json``."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from bench.lora_training import Job, dataset_of, files_of, plan_of, process_memory


def main() -> None:
    """Train, and print the steps' losses and moments as one line of JSON."""
    import torch

    job = Job.read(Path(sys.argv[1]))
    torch.set_num_threads(job.threads)
    from studio.lora.training import train
    from studio.lora.types import Callbacks

    seen: dict[str, list[Any]] = {"losses": [], "moments": [], "busy": [], "memory": []}

    def on_step(report: Any) -> None:
        seen["losses"].append(report.loss)
        seen["moments"].append(time.perf_counter())
        seen["busy"].append(time.process_time())
        seen["memory"].append(process_memory(job.device))

    started = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        train(
            files_of(job), dataset_of(job), plan_of(job), out=job.work / "ours", callbacks=Callbacks(on_step=on_step),
            device=job.device, threads=job.threads,
        )  # fmt: skip
    print(json.dumps({**seen, "started": started}))


if __name__ == "__main__":
    main()
