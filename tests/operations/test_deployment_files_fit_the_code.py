"""The units, containers and variables that docs/deploy and docs/operations.md show are those that the code knows."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from imodel_site.worker import supervisor

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
CONTAINERS = sorted((DEPLOY / "container").glob("Containerfile.*"))
VARIABLE = re.compile(
    r"""["'](IMODEL_[A-Z_]+|DATABASE_URL|DATABASE_OWNER_URL|REDIS_URL|EMAIL_URL|TMPDIR|HF_ENDPOINT)["']"""
)
# Handed down by the supervisor to its own children; nobody else sets them.
INTERNAL = {"IMODEL_LEASH", "IMODEL_WORKER"}
# Read by boto3 and huggingface_hub.
OF_LIBRARIES = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "HF_HOME", "HF_TOKEN", "HF_ENDPOINT"}


# --- variables --------------------------------------------------------------------------------------------------------
def _read_by_the_code() -> set[str]:
    rooms = ("imodel_site", "accounts", "catalog", "generation", "training", "selling", "studio")
    sources = [file for room in rooms for file in (ROOT / room).rglob("*.py")]
    return {name for file in sources for name in VARIABLE.findall(file.read_text())} - INTERNAL


def _documented() -> set[str]:
    page = (ROOT / "docs" / "operations.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


def test_every_variable_that_the_code_reads_is_in_the_table_and_the_other_way_round() -> None:
    assert _read_by_the_code() - _documented() == set()
    assert _documented() - _read_by_the_code() - OF_LIBRARIES == set()


# --- nginx ------------------------------------------------------------------------------------------------------------
def _lets_in(path: str) -> int:
    """Bytes of a body that nginx takes at an address, by the first location that matches (those in use have ^)."""
    text = (DEPLOY / "nginx" / "imodel.conf").read_text()
    found = re.findall(r"location ~ (\S+) \{\s*client_max_body_size (\d+)m;", text)
    default = re.search(r"\n    client_max_body_size (\d+)m;", text)
    assert default is not None
    return 2**20 * int(next((size for pattern, size in found if re.search(pattern, path)), default[1]))


def test_nginx_lets_in_what_the_code_takes() -> None:
    from generation.surfaces import door
    from generation.surfaces.fashn import door as fashn
    from imodel_site.lib import uploads

    addresses = {path: uploads.most_bytes(path) for path in ("/photos/", "/api/v1/assets", *uploads.larger())}
    addresses |= {"/sdapi/v1/img2img": door.MOST_BODY, "/sam/sam-predict": door.MOST_BODY, "/v1/run": fashn.MOST_BODY}
    assert max(uploads.larger().values()) >= 512 * 2**20
    for path, most in addresses.items():
        assert _lets_in(path) >= most, path


# --- systemd ----------------------------------------------------------------------------------------------------------
def _unit(file: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), strict=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(file.read_text())
    return parser


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_a_service_runs_as_a_person_without_rights_and_writes_only_its_own(file: Path) -> None:
    service = _unit(file)["Service"]
    assert service["User"] == service["Group"] == "imodel" and service["UMask"] == "0077"
    assert service["NoNewPrivileges"] == "yes" and service["CapabilityBoundingSet"] == ""
    assert service["ProtectSystem"] == "strict" and service["PrivateTmp"] == "yes"
    assert service["EnvironmentFile"] == "/etc/imodel/imodel.env"


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_a_service_starts_what_exists(file: Path) -> None:
    program, *words = _unit(file)["Service"]["ExecStart"].split()
    if program.endswith("/python"):
        assert words[0] == "manage.py" and (ROOT / "imodel_site/management/commands" / f"{words[1]}.py").is_file()
    else:
        assert program.endswith("/granian") and words[-1] == "imodel_site.wsgi:application"


def test_systemd_waits_longer_for_the_worker_than_the_worker_does() -> None:
    service = _unit(DEPLOY / "systemd" / "imodel-worker.service")["Service"]
    (grace,) = re.findall(r"^IMODEL_GRACE=(\d+)$", (DEPLOY / "systemd" / "imodel.env").read_text(), re.MULTILINE)
    longest = (
        int(grace) + supervisor.AFTER_GRACE + supervisor.EXECUTOR_STOP + supervisor.COURIER_STOP + 6.0
    )  # housework
    assert int(service["TimeoutStopSec"]) > longest
    assert service["KillMode"] == "mixed"  # SIGTERM to all of the group is what django-q2 hangs at


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_finds_nothing_to_say(tmp_path: Path) -> None:
    for file in (DEPLOY / "systemd").glob("imodel-*.*"):
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", file.read_text(), flags=re.MULTILINE)
        (tmp_path / file.name).write_text(text)  # the programs are not installed where it is checked
    names = [str(file) for file in sorted(tmp_path.iterdir())]
    done = subprocess.run(["systemd-analyze", "verify", *names], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "imodel" in line]
    assert done.returncode == 0 and ours == []


# --- containers -------------------------------------------------------------------------------------------------------
def _steps(file: Path) -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", file.read_text())
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(" ", 1)[0].upper(), line.split(" ", 1)[1].strip()) for line in lines]


@pytest.mark.parametrize("file", CONTAINERS, ids=lambda file: file.name)
def test_a_containerfile_is_pinned_takes_nothing_from_urls_and_ends_as_nobody(file: Path) -> None:
    steps = _steps(file)
    for _word, image in [step for step in steps if step[0] == "FROM"]:
        assert re.match(r"docker\.io/library/python:3\.11\.\d+-slim-\w+", image), image
    assert not [step for step in steps if step[0] == "ADD"]
    last = max(place for place, step in enumerate(steps) if step[0] == "FROM")
    users = [rest for word, rest in steps[last:] if word == "USER"]
    assert users == ["imodel"] and [word for word, _rest in steps].index("HEALTHCHECK") > last
    assert not re.search(r"(SECRET|PASSWORD|TOKEN)[A-Z_]*=", file.read_text())


@pytest.mark.parametrize("file", CONTAINERS, ids=lambda file: file.name)
def test_what_a_containerfile_copies_exists_and_every_room_is_copied(file: Path) -> None:
    copied = [rest.split()[:-1] for word, rest in _steps(file) if word == "COPY" and not rest.startswith("--from")]
    names = {name for group in copied for name in group}
    assert not [name for name in names if not (ROOT / name).exists()]
    rooms = {line.split(".")[0].strip('" ') for line in _packages()}
    assert rooms | {"manage.py", "templates", "frontend", "static", "locale"} <= names


def _packages() -> list[str]:
    return list(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"])


def test_the_web_image_has_no_torch_and_the_worker_s_is_the_pinned_one() -> None:
    web, worker = ((DEPLOY / "container" / f"Containerfile.{which}").read_text() for which in ("web", "worker"))
    assert "'.[web]'" in web and not re.search(r"^RUN.*torch", web, re.MULTILINE)
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (pin,) = [pin for pin in groups["worker"] if pin.startswith("torch==")]
    assert f" {pin}\n" in worker and "'.[web,worker]'" in worker


@pytest.mark.parametrize("file", CONTAINERS, ids=lambda file: file.name)
def test_the_commands_of_a_containerfile_are_lists_that_run_what_exists(file: Path) -> None:
    (command,) = [json.loads(rest) for word, rest in _steps(file) if word == "CMD"]
    assert command[-1] == "imodel_site.wsgi:application" or command[:2] == ["python", "manage.py"]
    (health,) = [rest.split("CMD ", 1)[1] for word, rest in _steps(file) if word == "HEALTHCHECK"]
    compile(json.loads(health)[2], file.name, "exec")


def _compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text())
    return found


def test_compose_sets_variables_that_the_code_knows() -> None:
    services = _compose()["services"]
    ours = {name: service for name, service in services.items() if service["image"].startswith("imodel-")}
    assert set(ours) == {"prepare", "web", "worker"}
    for service in ours.values():
        assert set(service["environment"]) <= _read_by_the_code() | OF_LIBRARIES
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert set(service["depends_on"]) <= set(services)


def test_compose_pins_its_images_builds_from_files_that_exist_and_publishes_to_this_machine_only() -> None:
    found = _compose()
    for service in found["services"].values():
        assert not service["image"].endswith(":latest") and ":" in service["image"]
        for volume in service["volumes"] if "volumes" in service else ():
            assert volume.split(":")[0] in found["volumes"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).is_file()
    stop = int(found["services"]["worker"]["stop_grace_period"].removesuffix("s"))
    assert stop >= 40


def test_nginx_replaces_what_a_client_claims_and_keeps_metrics_to_itself() -> None:
    text = (DEPLOY / "nginx" / "imodel.conf").read_text()
    assert text.count("{") == text.count("}")
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text and "internal;" in text
    assert re.search(r"location = /metrics \{\s+return 404;", text)
