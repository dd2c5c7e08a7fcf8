"""One file from the hub, resumed across broken connections and across processes.

``huggingface_hub`` 2 resumes within one call only: its temporary files carry a random name and are deleted on failure.
So its own pieces are used here (address, token, metadata, streaming with retries, progress bar, cache) and the partial
file is ours. HF_ENDPOINT, HF_TOKEN, HF_HOME and proxies mean what they mean to the hub's own tools.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from studio.errors import WeightsError
from studio.weights.disk import file_hash, writing
from studio.weights.types import HubFile, HubSource

_RETRY_HINT = "Check the connection (and HF_ENDPOINT, if you set it) and run the same command again: it resumes."


@dataclass(frozen=True)
class RemoteFile:
    """What the hub says about one file.

    Attributes:
        source: repository and commit.
        file: which file.
        url: where its bytes are (after the hub's own redirects).
        etag: SHA-256 (64 hex) of a large file, git's or a plain SHA-1 (40 hex) of a small one.
        size: bytes, None when the hub does not say.
        headers: what to send along; without the token when the bytes are on another host.
    """

    source: HubSource
    file: HubFile
    url: str
    etag: str
    size: int | None
    headers: Mapping[str, str]


def look_up(source: HubSource, file: HubFile) -> RemoteFile:
    """Ask the hub for a file's size, hash and address.

    Raises:
        WeightsError: ``hub_refused``, ``hub_file_missing``, ``hub_unreachable``, ``hash_mismatch``.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils._headers import build_hf_headers

    endpoint = os.environ.get("HF_ENDPOINT") or None
    with _hub_errors(source, file):
        url = hf_hub_url(source.repo, file.path, revision=source.revision, endpoint=endpoint)
        headers = build_hf_headers()
        told = get_hf_file_metadata(url, headers=headers, endpoint=endpoint)
    if not told.etag:
        raise WeightsError("hub_unreachable", f"What answers at {urlsplit(url).netloc} is no model hub. {_RETRY_HINT}")
    remote = RemoteFile(source, file, told.location, told.etag, told.size, _headers_for(told.location, url, headers))
    _check_statement(remote)
    return remote


def _check_statement(remote: RemoteFile) -> None:
    """A hub that itself states another hash or size than the table is found out before gigabytes are fetched."""
    file = remote.file
    other_hash = file.sha256 is not None and len(remote.etag) == 64 and remote.etag != file.sha256
    other_size = file.size is not None and remote.size is not None and remote.size != file.size
    if other_hash or other_size:
        raise WeightsError(
            "hash_mismatch",
            f"The hub's {file.path} of {remote.source.repo} is not the published file. Nothing was fetched: "
            "do not use this hub or mirror for it.",
        )


def _headers_for(location: str, asked: str, headers: dict[str, str]) -> dict[str, str]:
    """The token goes to the hub alone: a large file's bytes are on another host, behind a signed address."""
    if urlsplit(location).netloc == urlsplit(asked).netloc:
        return headers
    return {key: value for key, value in headers.items() if key.lower() != "authorization"}


def download(remote: RemoteFile, target: Path, partial_folder: Path, *, progress: bool) -> None:
    """Bring one file to ``target``, going on from what an earlier attempt left in ``partial_folder``.

    Raises:
        WeightsError: ``hub_unreachable`` (retryable), ``hub_refused``, ``hash_mismatch``.
        StorageError: the disk is full or can not be written.
    """
    with writing(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        partial_folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(f"{remote.source.repo}@{remote.source.revision}:{remote.file.path}#{remote.etag}".encode())
    partial = partial_folder / name.hexdigest()[:32]
    cached = _in_hub_cache(remote)
    if cached is not None:
        _copy(cached, partial)
    else:
        _stream(remote, partial, progress=progress)
    check_content(partial, remote)
    partial.replace(target)


def check_content(path: Path, remote: RemoteFile) -> None:
    """Hold a file against the table's hash and size and against the hub's; delete it when it is another one.

    Raises:
        WeightsError: ``hash_mismatch``.
    """
    wrong = _size_is_wrong(path, remote) or _hash_is_wrong(path, remote)
    if not wrong:
        return
    path.unlink()
    raise WeightsError(
        "hash_mismatch",
        f"{remote.file.path} of {remote.source.repo} is not the file it should be ({wrong}); it was deleted. "
        "Try again; if it happens twice, the hub or mirror serves another file: do not use it.",
    )


def _size_is_wrong(path: Path, remote: RemoteFile) -> str:
    size = path.stat().st_size
    for wanted in (remote.file.size, remote.size):
        if wanted is not None and wanted != size:
            return f"{size} bytes instead of {wanted}"
    return ""


def _hash_is_wrong(path: Path, remote: RemoteFile) -> str:
    if remote.file.sha256 is not None and file_hash(path) != remote.file.sha256:
        return "its SHA-256 is not the published one"
    if len(remote.etag) == 64 and file_hash(path) != remote.etag:
        return "its SHA-256 is not the one the hub states"
    if len(remote.etag) == 40 and remote.etag not in _sha1s(path):
        return "its SHA-1 is not the one the hub states"
    return ""


def _sha1s(path: Path) -> tuple[str, str]:
    """Git's hash of a blob, which the hub states for small files, and the plain one, which some mirrors state."""
    content = path.read_bytes()
    blob = b"blob %d\0" % len(content) + content
    return tuple(hashlib.sha1(data, usedforsecurity=False).hexdigest() for data in (blob, content))  # type: ignore[return-value]  # two in, two out


def _in_hub_cache(remote: RemoteFile) -> Path | None:
    """The same file of the same commit in the hub's own cache (HF_HOME), when another tool fetched it."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(remote.source.repo, remote.file.path, revision=remote.source.revision)
    return Path(found) if isinstance(found, str) else None


def _copy(source: Path, target: Path) -> None:
    from shutil import copyfile

    with writing(target.parent):
        copyfile(source, target)


def _stream(remote: RemoteFile, partial: Path, *, progress: bool) -> None:
    from huggingface_hub.file_download import http_get
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]  # tqdm has no types
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["disable"] = not progress
            kwargs.pop("name", None)
            super().__init__(*args, **kwargs)

    with writing(partial.parent), _hub_errors(remote.source, remote.file), partial.open("ab") as out:
        done = out.tell()
        if remote.size is not None and done > remote.size:
            out.truncate(done := 0)
        http_get(
            remote.url,
            out,
            resume_size=done,
            headers=dict(remote.headers),
            expected_size=remote.size,
            displayed_filename=remote.file.target,
            tqdm_class=Bar,
        )


@contextmanager
def _hub_errors(source: HubSource, file: HubFile) -> Iterator[None]:
    import httpx2
    from huggingface_hub.errors import (
        EntryNotFoundError,
        FileMetadataError,
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    what = f"{file.path} of {source.repo}"
    try:
        yield
    except GatedRepoError as error:
        raise _refused(what) from error
    except (EntryNotFoundError, RevisionNotFoundError) as error:
        raise WeightsError(
            "hub_file_missing",
            f"The hub has no {what} at {source.revision[:12]}. If you use a mirror, it may be incomplete: "
            "unset HF_ENDPOINT, or import the weights from a folder.",
        ) from error
    except RepositoryNotFoundError as error:
        # The hub answers 401 for a repository that is private or is not there: it does not say which.
        raise _refused(what) from error
    except OfflineModeIsEnabled as error:
        raise WeightsError(
            "hub_unreachable", f"HF_HUB_OFFLINE is set, so {what} can not be fetched. Unset it."
        ) from error
    except HfHubHTTPError as error:
        if error.response is not None and error.response.status_code in (401, 403):
            raise _refused(what) from error
        raise _unreachable(what, error) from error
    except (httpx2.HTTPError, FileMetadataError) as error:
        raise _unreachable(what, error) from error
    except OSError as error:
        if error.errno is not None:
            raise
        # huggingface_hub's own complaint about a body that ended early carries no errno.
        raise _unreachable(what, error) from error


def _refused(what: str) -> WeightsError:
    return WeightsError(
        "hub_refused",
        f"The hub does not let you read {what}. Accept its licence on the hub's page and set HF_TOKEN to your token.",
    )


def _unreachable(what: str, error: Exception) -> WeightsError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return WeightsError("hub_unreachable", f"{what} did not arrive ({reason}). {_RETRY_HINT}", retryable=True)
