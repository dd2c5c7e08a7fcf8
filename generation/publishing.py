"""From the executor's files to stored pictures: files first, rows second, under the claim's token."""

from __future__ import annotations

import hashlib
import io
import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from PIL import Image

from accounts.models.moderation import state_after_look
from generation import pricing
from generation.models import Kind, Picture, Shoot, Verdict
from imodel_site.lib import storage
from imodel_site.lib.ids import uuid7
from imodel_site.lib.jobs.work import Retry, Work

log = logging.getLogger("imodel.pictures")

KIND = "shoots"
PAPERS = ("sheet", "source", "mask", "skeleton", "locked", "seam")


@dataclass(frozen=True)
class Shot:
    """What the executor said of one picture: its files by variant, and what goes into its row."""

    index: int
    seed: int
    files: Mapping[str, str]
    sizes: Mapping[str, Sequence[int]]
    sha256: Mapping[str, str]
    report: Mapping[str, Any] | None
    recipe: Mapping[str, Any]
    finding: Mapping[str, Any] | None = None


def shot_of(event: Mapping[str, Any]) -> Shot:
    """A ``shot`` event."""
    names = ("index", "seed", "files", "sizes", "sha256", "report", "recipe")
    return Shot(**{name: event[name] for name in names}, finding=event.get("finding"))


@dataclass(frozen=True)
class Stored:
    """A finished shoot whose files are stored and whose rows are not written yet."""

    shots: Sequence[Shot]
    files: Sequence[Mapping[str, Any]]
    table: Mapping[str, str]

    def keys(self) -> list[str]:
        """Every file of it."""
        return [file["key"] for files in self.files for file in files.values()] + list(self.table.values())


def wanted(shots: Sequence[Shot], keep: int | None) -> list[Shot]:
    """All of them, or the one picture that a batch was made for."""
    return sorted((shot for shot in shots if keep is None or shot.index == keep), key=lambda shot: shot.index)


def store(work: Work, shots: Sequence[Shot], papers: Mapping[str, str | None], *, out: Path) -> Stored:
    """Put every file into storage and read each back; nothing stays of what could not be stored whole.

    Raises:
        Retry: a file did not arrive as the executor wrote it.
        StorageError: no room, or the storage does not answer.
        Cancelled: somebody asked for it between two files.
    """
    done: list[str] = []
    try:
        files = [dict(_variants(work, place, shot, out, done)) for place, shot in enumerate(shots)]
        table = {name: _paper(work, name, file, out, done) for name in PAPERS if (file := papers.get(name))}
    except BaseException:
        drop(done)
        raise
    return Stored(shots, files, table)


def _variants(work: Work, place: int, shot: Shot, out: Path, done: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for variant, file in shot.files.items():
        work.stop_if_asked()
        data = _read(Path(file), out)
        if hashlib.sha256(data).hexdigest() != shot.sha256[variant]:
            raise Retry(f"{file} is not what the executor wrote")
        width, height = shot.sizes[variant]
        key = _put(work, f"{place}-{variant}", data, Path(file).suffix, done)
        yield (
            variant,
            {"key": key, "width": width, "height": height, "bytes": len(data), "sha256": shot.sha256[variant]},
        )
    if "jpeg" in work.job.order.get("also", ()):
        yield "jpeg", _as_jpeg(work, place, shot, out, done)


def _as_jpeg(work: Work, place: int, shot: Shot, out: Path, done: list[str]) -> dict[str, Any]:
    """The full picture once more as a JPEG, with the labels that it carries."""
    with Image.open(io.BytesIO(_read(Path(shot.files["full"]), out))) as full:
        xmp, rgb = full.info.get("xmp", b""), full.convert("RGB")
    buffer = io.BytesIO()
    rgb.save(buffer, "JPEG", quality=92, subsampling=0, xmp=xmp)
    key = _put(work, f"{place}-jpeg", buffer.getvalue(), ".jpg", done)
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    return {"key": key, "width": rgb.width, "height": rgb.height, "bytes": buffer.tell(), "sha256": sha256}


def _paper(work: Work, name: str, file: str, out: Path, done: list[str]) -> str:
    return _put(work, name, _read(Path(file), out), Path(file).suffix, done)


def _read(file: Path, out: Path) -> bytes:
    """Only from the job's own folder, whatever a message says."""
    if file.parent != out:
        raise Retry(f"{file} lies outside of the job's folder")
    return file.read_bytes()


def _put(work: Work, name: str, data: bytes, suffix: str, done: list[str]) -> str:
    """Under the job and the token, so that a stale worker can not write over a newer one's; random, so not guessed."""
    folder = f"m/{work.job.merchant_id}/{KIND}/{work.job.pk}/{work.token}"
    key = f"{folder}/{name}-{secrets.token_urlsafe(18)}{suffix}"
    done.append(key)
    storage.put(key, data)
    if hashlib.sha256(storage.read(key)).digest() != hashlib.sha256(data).digest():
        raise Retry(f"{key} was not stored whole")
    return key


def drop(keys: Sequence[str]) -> None:
    """Take stored files back; what can't be deleted now is collected later, for no row refers to it."""
    try:
        storage.delete(*keys)
    except Exception:
        log.warning("%s files of a failed shoot stay behind", len(keys), exc_info=True)


def rows(shoot: Shoot, token: int, stored: Stored) -> list[Picture]:
    """The pictures' rows, to be written in the transaction that ends the job.

    Ids of one millisecond are in no order: they are dealt so that newest first shows a shoot's first picture first.
    """
    ids = sorted((uuid7() for _shot in stored.shots), reverse=True)
    return [
        _picture(shoot, token, place, shot, files, identity)
        for place, (shot, files, identity) in enumerate(zip(stored.shots, stored.files, ids, strict=True))
    ]


def _verdict(kind: str, report: Mapping[str, Any] | None) -> str:
    """The report's; where no garment is kept "good" would promise what nobody measured."""
    found = (report or {}).get("verdict") or Verdict.NONE
    return Verdict.NONE if kind in (Kind.TEXT, Kind.OUTFIT) and found == Verdict.GOOD else found


def _picture(shoot: Shoot, token: int, place: int, shot: Shot, files: Mapping[str, Any], identity: UUID) -> Picture:
    expects = shoot.order.get("expects")
    verdict = _verdict(shoot.kind, shot.report)
    return Picture(
        pk=identity,
        merchant_id=shoot.merchant_id,
        shoot_id=shoot.pk,
        index=place,
        token=token,
        kind=shoot.kind,
        garment_id=shoot.garment_id,
        persona_id=shoot.persona_id,
        files=dict(files),
        width=files["full"]["width"],
        height=files["full"]["height"],
        seed=shot.seed,
        verdict=verdict,
        cost=pricing.cost_of_picture(shoot, verdict),
        report=shot.report,
        recipe=dict(shot.recipe),
        same_bytes=files["full"]["sha256"] == expects["sha256"] if expects else None,
        **state_after_look(shot.finding),
    )


def keys_of(merchant_id: Any) -> Iterator[str]:
    """Every file that this merchant's pictures and light tables refer to."""
    for files in Picture.objects.values_list("files", flat=True).iterator(chunk_size=500):
        yield from (file["key"] for file in files.values())
    for table in Shoot.objects.exclude(table={}).values_list("table", flat=True).iterator(chunk_size=500):
        yield from (key for key in table.values() if key)


def keys_of_orders(merchant_id: Any) -> Iterator[str]:
    """Masks and pictures that were uploaded for one order: they are kept as long as its shoot, to make it again."""
    for order in Shoot.objects.values_list("order", flat=True).iterator(chunk_size=500):
        yield from order.get("files", {}).values()
        yield from order.get("origin", {}).get("files", {}).values()
