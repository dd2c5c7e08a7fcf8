"""`make run` needs no configuration, and a configured site gets nothing from it."""

from __future__ import annotations

import stat
from pathlib import Path

from imodel_site import embedded


def test_the_key_is_made_once_and_is_its_owner_s_alone(tmp_path: Path) -> None:
    first, second = {"IMODEL_DATA": str(tmp_path)}, {"IMODEL_DATA": str(tmp_path)}
    embedded.apply(first, create=True)
    embedded.apply(second, create=True)
    assert first["IMODEL_SECRET_KEY"] == second["IMODEL_SECRET_KEY"] and len(first["IMODEL_SECRET_KEY"]) >= 60
    assert stat.S_IMODE((tmp_path / "run" / "secret").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["secret"]


def test_a_command_in_a_fresh_clone_gets_no_defaults_but_one_after_make_run_does(tmp_path: Path) -> None:
    fresh = {"IMODEL_DATA": str(tmp_path)}
    embedded.apply(fresh, create=False)
    assert fresh == {"IMODEL_DATA": str(tmp_path)}
    embedded.apply({"IMODEL_DATA": str(tmp_path)}, create=True)
    embedded.apply(fresh, create=False)
    assert fresh["IMODEL_HOSTS"] == "localhost,127.0.0.1" and fresh["IMODEL_HTTPS"] == "0"


def test_whoever_sets_the_key_configures_the_rest_as_well(tmp_path: Path) -> None:
    configured = {"IMODEL_DATA": str(tmp_path), "IMODEL_SECRET_KEY": "theirs"}
    embedded.apply(configured, create=True)
    assert configured == {"IMODEL_DATA": str(tmp_path), "IMODEL_SECRET_KEY": "theirs"}
    assert not (tmp_path / "run").exists()


def test_what_is_set_already_stays(tmp_path: Path) -> None:
    given = {"IMODEL_DATA": str(tmp_path), "IMODEL_HOSTS": "studio.lan", "EMAIL_URL": "console://"}
    embedded.apply(given, create=True)
    assert (given["IMODEL_HOSTS"], given["EMAIL_URL"], given["IMODEL_DEMO"]) == ("studio.lan", "console://", "1")
