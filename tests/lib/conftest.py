"""Both storages: a folder, and a bucket on a real S3 server (moto's)."""

from __future__ import annotations

from typing import Any

import pytest

from imodel_site.lib import storage


@pytest.fixture(scope="session")
def s3_server() -> Any:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["disk", "s3"])
def files(request, tmp_path, settings, monkeypatch) -> Any:
    """``storage`` works on an empty one; the fixture is the storage itself."""
    if request.param == "disk":
        entry = {"BACKEND": "imodel_site.lib.storage.PrivateFiles", "OPTIONS": {"location": str(tmp_path / "media")}}
    else:
        entry = _bucket(request.getfixturevalue("s3_server"), monkeypatch)
    settings.STORAGES = {**settings.STORAGES, "default": entry}
    return storage.private()


def _bucket(server: str, monkeypatch: Any) -> dict[str, Any]:
    import secrets

    import boto3

    from imodel_site import env

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    name = f"bucket-{secrets.token_hex(6)}"
    boto3.client("s3", endpoint_url=server, region_name="us-east-1").create_bucket(Bucket=name)
    found: Any = env.storage(f"s3://{name}/some/prefix?endpoint={server}", None)  # type: ignore[arg-type]
    return found
