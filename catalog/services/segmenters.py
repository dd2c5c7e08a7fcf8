"""What photos are embedded with, and which decoder goes with an embedding (docs/segmentation.md)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models.functions import Now
from django.templatetags.static import static
from django.urls import reverse

from catalog.models import Decoder
from imodel_site.lib import storage
from studio.errors import WeightsError
from studio.segmentation.bundled import DECODER, ENCODER, FAMILY, SIDE, Bundled, bundled, check_bytes, encoder_name
from studio.weights.registry import FAMILIES

log = logging.getLogger("imodel.catalog")
NONE = "none"


@dataclass(frozen=True)
class DecoderFile:
    """A decoder, as a browser is told of it."""

    encoder: str
    sha256: str
    bundled: bool

    @property
    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"url": self.url, "sha256": self.sha256, "bundled": self.bundled}

    @property
    def url(self) -> str:
        """Where the browser gets it: never another file under the same address."""
        address = reverse("catalog:decoder", args=[self.sha256])
        return _static(DECODER, otherwise=address) if self.bundled else address

    def read(self) -> bytes:
        """Its bytes, once they are known to be those that were recorded.

        Raises:
            WeightsError: ``weights_missing``, ``weights_damaged``.
            StorageError: ``storage_unavailable``, retryable.
        """
        if self.bundled:
            return bundled().read(DECODER)
        try:
            data = storage.read(key_of(self.sha256))
        except FileNotFoundError as error:
            raise WeightsError("weights_missing", f"The decoder of {self.encoder} is not stored.") from error
        check_bytes(data, self.sha256, origin=f"the decoder of {self.encoder}")
        return data


def current() -> str | None:
    """The name of the encoder that counts now; None where nothing is embedded.

    Of weights that the workers have, the site knows only what they say: the one seen last, and before any was seen the
    one that the registry lists.
    """
    family = settings.SEGMENTATION
    if family == NONE:
        return None
    if family == FAMILY:
        found = _bundled()
        return found.encoder if found else None
    seen = Decoder.objects.filter(encoder__startswith=f"{family}:").order_by("-seen_at").first()
    return seen.encoder if seen else _listed(family)


def family_of(encoder: str) -> str:
    """The family of an encoder's name."""
    return encoder.partition(":")[0]


def decoder_of(encoder: str) -> DecoderFile | None:
    """The decoder of an encoder's embeddings; None while no worker has handed it over."""
    if family_of(encoder) == FAMILY:
        found = _bundled()
        return DecoderFile(encoder, found.sha256[DECODER], True) if found and found.encoder == encoder else None
    row = Decoder.objects.filter(encoder=encoder).first()
    return DecoderFile(encoder, row.sha256, False) if row else None


def decoder_with(sha256: str) -> DecoderFile | None:
    """A decoder by its hash, as addresses have it."""
    found = _bundled()
    if found is not None and found.sha256[DECODER] == sha256:
        return DecoderFile(found.encoder, sha256, True)
    row = Decoder.objects.filter(sha256=sha256).first()
    return DecoderFile(row.encoder, sha256, False) if row else None


def browser_encoder() -> dict[str, Any] | None:
    """What a browser can embed a photo with by itself; None unless the bundled encoder is the one that counts."""
    found = _bundled() if settings.SEGMENTATION == FAMILY else None
    url = _static(ENCODER, otherwise="") if found else ""
    if found is None or not url:
        return None
    return {"url": url, "family": found.encoder, "size": SIDE, "sha256": found.sha256[ENCODER]}


def keep_decoder(*, encoder: str, sha256: str, data: bytes) -> None:
    """Take over the decoder of a worker's weights, and remember that this encoder was the last one seen.

    Raises:
        WeightsError: ``weights_damaged``: the bytes are not those with this hash.
        StorageError: nothing was kept.
    """
    check_bytes(data, sha256, origin=f"the decoder of {encoder}")
    if not _is_stored(sha256):
        storage.put(key_of(sha256), data)
    family = family_of(encoder)
    newest = Decoder.objects.filter(encoder__startswith=f"{family}:").order_by("-seen_at").first()
    if newest is None or (newest.encoder, newest.sha256) != (encoder, sha256):
        values = {"sha256": sha256, "bytes": len(data), "seen_at": Now()}
        Decoder.objects.update_or_create(encoder=encoder, defaults=values)


def forget_decoder(decoder: DecoderFile) -> None:
    """One whose file is gone or damaged; the next embedding brings it again (``embeddings.want``)."""
    Decoder.objects.filter(encoder=decoder.encoder, sha256=decoder.sha256).delete()


def key_of(sha256: str) -> str:
    """A decoder's storage key: of no merchant, and the same for the same bytes."""
    return f"shared/decoder/{sha256}.onnx"


def _is_stored(sha256: str) -> bool:
    try:
        storage.private().stat(key_of(sha256))
    except FileNotFoundError:
        return False
    return True


@cache
def _bundled() -> Bundled | None:
    try:
        return bundled()
    except WeightsError:
        log.exception("photos are not embedded: the bundled segmenter is not there")
        return None


def _listed(family: str) -> str:
    source = FAMILIES[family].hub[0].files[0]
    return encoder_name(family, source.sha256 or "")


def _static(name: str, *, otherwise: str) -> str:
    try:
        return str(static(f"segmentation/{name}"))
    except ValueError:  # not in the manifest: static files were collected before it came
        return otherwise
