"""No panel and no alert asks for a metric, a label or a value that is never told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from imodel_site.lib.jobs.model import Status
from imodel_site.metrics import catalogue
from imodel_site.metrics.catalogue import Family

DEPLOY = Path(__file__).resolve().parents[2] / "docs" / "deploy"
NAME = re.compile(r"\bimodel_\w+")
SELECTED = re.compile(r"(imodel_\w+)\{([^}]*)\}")
GROUPED = re.compile(r"\b(?:by|on) \(([\w, ]+)\)")
SHOWN = re.compile(r"\$labels\.(\w+)|\{\{(\w+)\}\}")
OF_PROMETHEUS = {"instance", "job", "le"}
ENDINGS = ("_bucket", "_sum", "_count")


def _alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _panels() -> list[dict[str, Any]]:
    return list(json.loads((DEPLOY / "grafana" / "imodel.json").read_text())["panels"])


def _queries() -> Iterator[tuple[str, str, str]]:
    """(where it stands, the query, the words that show its labels)."""
    for rule in _alerts():
        yield rule["alert"], rule["expr"], json.dumps(rule["annotations"])
    for panel in _panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"], target["legendFormat"]


def _family(name: str) -> Family | None:
    """Whose series this is; a histogram has only its three."""
    if name in catalogue.ALL:
        return catalogue.ALL[name] if catalogue.ALL[name].kind != "histogram" else None
    base = next((name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending)), "")
    found = catalogue.ALL.get(base)
    return found if found and found.kind == "histogram" else None


@pytest.mark.parametrize(("where", "query", "shown"), list(_queries()))
def test_a_query_names_metrics_and_labels_that_exist(where: str, query: str, shown: str) -> None:
    families = {name: _family(name) for name in NAME.findall(query) if name != "imodel_"}
    assert not [name for name, family in families.items() if family is None]
    known = OF_PROMETHEUS | {label for family in families.values() if family for label in family.labels}
    wanted = {label.strip() for group in GROUPED.findall(query) for label in group.split(",")}
    wanted |= {a or b for a, b in SHOWN.findall(shown)}
    assert wanted <= known, (where, wanted - known)
    for name, selection in SELECTED.findall(query):
        family = families[name]
        assert family is not None and set(re.findall(r"(\w+)[=!]~?=?", selection)) <= {*family.labels, "job"}


@pytest.mark.parametrize(("where", "query", "shown"), list(_queries()))
def test_counters_are_asked_for_their_growth_and_brackets_close(where: str, query: str, shown: str) -> None:
    for name in NAME.findall(query):
        if name.endswith(("_total", *ENDINGS)):
            assert re.search(rf"(rate|increase)\({name}(\{{[^}}]*\}})?\[\d+[smhd]\]\)", query), where
    for opening, closing in ("()", "{}", "[]"):
        assert query.count(opening) == query.count(closing), where


def test_statuses_that_are_asked_for_exist() -> None:
    for where, query, _shown in _queries():
        for asked in re.findall(r'imodel_jobs\{status=~?"([\w|]+)"', query):
            assert set(asked.split("|")) <= set(Status.values), where


def test_every_alert_says_what_is_wrong_what_to_do_and_how_urgent_it_is() -> None:
    rules = _alerts()
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 15
    for rule in rules:
        assert set(rule["annotations"]) == {"summary", "do"} and rule["labels"]["severity"] in ("page", "warn")
        assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))


def test_panels_do_not_overlap_and_every_metric_has_one() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in _panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken and place["x"] + place["w"] <= 24
        taken |= cells
    shown = {
        family.name for _where, query, _shown in _queries() for name in NAME.findall(query) if (family := _family(name))
    }
    assert set(catalogue.ALL) == shown


def test_the_scrapes_show_the_token() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    assert {job["job_name"] for job in config["scrape_configs"]} == {"imodel-web", "imodel-worker"}
    assert all(job["authorization"]["credentials_file"] for job in config["scrape_configs"])
    assert config["rule_files"] == ["alerts.yml"]


def test_the_page_about_metrics_lists_each_with_its_labels() -> None:
    page = (DEPLOY.parent / "metrics.md").read_text()
    rows = dict(re.findall(r"^\| `(imodel_\w+)` \| ([^|]*) \|", page, re.MULTILINE))
    told = {
        name: {label.strip("` ") for label in labels.split(",") if label.strip("` ")} for name, labels in rows.items()
    }
    assert told == {family.name: set(family.labels) for family in catalogue.ALL.values()}
