"""Sessions of onnxruntime, as all of ours are opened: on the CPU, with the threads that were asked for."""

from __future__ import annotations

from typing import Any

from studio.errors import WeightsError

ERRORS_ONLY = 3


def open_session(data: bytes, *, threads: int) -> Any:
    """An ``onnxruntime.InferenceSession`` over bytes whose hash was checked.

    Raises:
        WeightsError: ``weights_damaged``: onnxruntime can not read them.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Threads of its own would spin between two clicks.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no base but this one
        raise WeightsError("weights_damaged", f"onnxruntime can not open these weights: {error}") from error
