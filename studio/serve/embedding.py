"""``embed``: a photo read once, so that each click on it costs milliseconds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from studio.files import write_all
from studio.images import open_photo
from studio.segmentation.bundled import FAMILY
from studio.segmentation.embedding_files import encode_embedding
from studio.serve.fields import Fields
from studio.serve.jobs import Job
from studio.serve.outputs import make_folder
from studio.serve.resident import Resident


def embed(job: Job, resident: Resident) -> Mapping[str, Any]:
    """The photo's embedding as ``embedding.npy``, and the decoder that goes with it where it is not the bundled one."""
    fields = Fields("message", job.body)
    path, out, family = fields.path("photo"), fields.path("out"), fields.text("family", FAMILY)
    fields.finish()
    photo = open_photo(path)
    make_folder(out)
    job.stop_if_asked()
    job.progress("weights", 0.1)
    embedder = resident.embedder(family)
    decoder = embedder.decoder()
    job.stop_if_asked()
    job.progress("embedding", 0.3)
    data = encode_embedding(embedder.embed(photo))
    job.stop_if_asked()
    write_all({out / "embedding.npy": data})
    return {
        "file": str(out / "embedding.npy"),
        "sha256": hashlib.sha256(data).hexdigest(),
        "encoder": embedder.encoder,
        "decoder": None if decoder is None else {"file": str(decoder.path), "sha256": decoder.sha256},
    }
