"""``embed`` on the light executor: a checked ``.npy``, and never torch."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.segmentation.bundled import ENCODER, bundled
from studio.segmentation.embedding_files import decode_embedding
from studio.segmentation.onnx_encode import OnnxEncoder
from studio.serve.client import JobError, ping
from tests.studio.serve.conftest import Message, Running


def embed(photo: Path, out: Path, **more: object) -> Message:
    return {"op": "embed", "id": "e", "photo": str(photo), "out": str(out), **more}


def loaded(running: Running) -> str:
    """The libraries that the executor's process has mapped."""
    return Path(f"/proc/{running.process.pid}/maps").read_text()


def test_it_is_the_bundled_encoders_answer_in_a_file_whose_hash_is_said(
    light: Running, photo: Path, tmp_path: Path
) -> None:
    done = light.run(embed(photo, tmp_path / "out"))
    data = Path(done["file"]).read_bytes()
    assert Path(done["file"]) == tmp_path / "out" / "embedding.npy"
    assert done["sha256"] == hashlib.sha256(data).hexdigest()
    assert (done["encoder"], done["decoder"]) == (bundled().encoder, None)
    wanted = OnnxEncoder(bundled().read(ENCODER)).embed(Image.open(photo))
    np.testing.assert_allclose(decode_embedding(data), wanted, atol=2e-3 * np.abs(wanted).max())
    fractions = [event["fraction"] for event in light.told("progress")]
    assert [event["stage"] for event in light.told("progress")] == ["weights", "embedding"]
    assert fractions == sorted(fractions)
    assert "libtorch" not in loaded(light) and ping(light.socket)["engine"] is None


def test_the_same_photo_gives_the_same_bytes(light: Running, photo: Path, tmp_path: Path) -> None:
    hashes = {light.run(embed(photo, tmp_path / str(n)))["sha256"] for n in range(2)}
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("more", "kind", "code"),
    [
        ({"family": "sam_vit_h"}, "weights", "weights_missing"),
        ({"family": "mini"}, "input", "segmentation_unknown"),
        ({"family": 7}, "input", "message_family_invalid"),
        ({"size": 512}, "input", "message_field_unknown"),
        ({"photo": "/nowhere.jpg"}, "input", "photo_not_found"),
    ],
)
def test_what_can_not_be_done_is_said_and_leaves_nothing(
    light: Running, photo: Path, tmp_path: Path, more: Message, kind: str, code: str
) -> None:
    with pytest.raises(JobError) as failed:
        light.run({**embed(photo, tmp_path / "out"), **more})
    assert (failed.value.kind, failed.value.code) == (kind, code)
    assert not list(tmp_path.rglob("*.npy"))


def test_one_that_nobody_wants_any_more_ends_without_a_file(light: Running, photo: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError) as failed:
        light.run(embed(photo, tmp_path / "out"), should_cancel=lambda: True)
    assert failed.value.kind == "cancelled" and not list(tmp_path.rglob("*.npy"))
