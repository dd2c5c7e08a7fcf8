"""Bring a family from the hub to this machine: resume, check, publish."""

from __future__ import annotations

from studio.errors import InputError, WeightsError
from studio.weights.disk import folder_bytes, locked, require_room
from studio.weights.hub import RemoteFile, check_content, download, look_up
from studio.weights.parts import check_file
from studio.weights.registry import find_family
from studio.weights.store import Staging, is_here, locate, publish, staging
from studio.weights.types import LocatedWeights


def fetch(name: str, *, progress: bool, again: bool = False) -> LocatedWeights:
    """Fetch a family, going on where an earlier attempt was broken off; nothing happens when it is already whole.

    Args:
        name: a family with a hub source.
        progress: show a bar per file on stderr.
        again: fetch even when :func:`locate` finds it.

    Raises:
        InputError: ``unknown_weights``, ``weights_bundled``.
        WeightsError: ``hub_unreachable``, ``hub_refused``, ``hub_file_missing``, ``hash_mismatch``, ``weights_busy``,
            or what :mod:`studio.weights.safety` finds.
        StorageError: ``disk_full``, ``not_writable``; what was fetched is kept for the next attempt.
    """
    family = find_family(name)
    if not family.hub:
        raise InputError("weights_bundled", f"{name!r} is not fetched: {family.bundled.hint if family.bundled else ''}")
    if not again and is_here(name):
        return locate(name)
    stage = staging(family, "fetch")
    with locked(stage.lock, doing=f"fetching {name}"):
        remotes = [look_up(source, file) for source in family.hub for file in source.files]
        require_room(stage.root, _missing_bytes(remotes, stage))
        for remote in remotes:
            _bring(remote, stage, progress=progress)
        _drop_strays(remotes, stage)
        about = {source.repo: source.revision for source in family.hub}
        return publish(family, stage, origin="hub", about=about)


def _missing_bytes(remotes: list[RemoteFile], stage: Staging) -> int:
    """Bytes still to come: what is whole or in part here already takes no more room."""
    missing = sum(remote.size or 0 for remote in remotes if not (stage.files / remote.file.target).exists())
    return missing - (folder_bytes(stage.partial) if stage.partial.exists() else 0)


def _bring(remote: RemoteFile, stage: Staging, *, progress: bool) -> None:
    target = stage.files / remote.file.target
    if target.exists():
        check_content(target, remote)
        return
    download(remote, target, stage.partial, progress=progress)
    try:
        check_file(target, finite=False)
    except WeightsError:
        target.unlink()
        raise


def _drop_strays(remotes: list[RemoteFile], stage: Staging) -> None:
    """Files that an older table asked for and this one does not must not be published."""
    wanted = {stage.files / remote.file.target for remote in remotes}
    for path in stage.files.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
