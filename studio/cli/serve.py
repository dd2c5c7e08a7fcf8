"""``python -m studio serve``: the resident executor that the web product's workers talk to (docs/executor.md)."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from studio.errors import InputError

_ABOUT = """Keep engine and pose detector in memory and do one job at a time, asked for over a Unix socket (or stdin):
one JSON object a line, both ways. docs/executor.md has the messages. SIGTERM and Ctrl-C cancel the running job and
end."""


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add ``serve``; its ``handler`` returns only when it could not start."""
    parser = subparsers.add_parser(
        "serve", help="stay resident and do jobs over a socket", description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--socket", type=Path, metavar="PATH", help="Unix socket to listen at (made with mode 0600)")
    where.add_argument("--stdio", action="store_true", help="messages on stdin and stdout instead; ends with stdin")
    parser.add_argument(
        "--engine", metavar="FAMILY", help="bring this engine up at once (default: at the first job, the job's)"
    )
    parser.add_argument("--light", action="store_true", help="proposals only, without torch")
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda, cuda:1 (default: CUDA when there is some)")
    parser.add_argument(
        "--threads", type=int, metavar="N", default=os.cpu_count() or 1, help="CPU threads (default: all there are)"
    )
    parser.add_argument("--parent", type=int, metavar="PID", help="end as soon as that process has ended")
    parser.set_defaults(handler=_handle)


def _handle(args: argparse.Namespace) -> NoReturn:
    _check(args)
    # Until the loop takes the signals over, nothing is worth unwinding.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, frame: os._exit(0))
    _set_threads(args.threads)
    from studio.serve.server import Options, serve

    options = Options(
        socket=None if args.stdio else args.socket.absolute(),
        engine=args.engine,
        light=args.light,
        device=args.device,
        parent=args.parent,
    )
    serve(options)
    sys.stderr.flush()
    # Not sys.exit: the interpreter would wait for the job thread, which may be in the middle of a long step.
    os._exit(0)


def _check(args: argparse.Namespace) -> None:
    if args.threads < 1:
        raise InputError("option_invalid", "--threads must be 1 or more.")
    if args.light and args.engine:
        raise InputError("option_invalid", "--light has no engine: leave out one of the two.")
    if args.engine:
        from studio.weights.store import locate

        locate(args.engine)


def _set_threads(count: int) -> None:
    """For every library that asks, before the first of them is imported: most read this only once."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
        os.environ[name] = str(count)
