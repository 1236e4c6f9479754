"""What the README and the change log say is so."""

from __future__ import annotations

import json
import re

import scim_service
from benchmarks import report
from scim_service import config
from tests.house import sources

README = (sources.ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_of_settings_is_the_settings() -> None:
    listed = re.findall(r"^\| `(SCIM_[A-Z_]+)` \| ([^|]*) \| ([^|]*) \|$", README, re.MULTILINE)
    shown = [(key, default.strip().strip("`"), sentence.strip()) for key, default, sentence in listed]
    assert shown == [(one.key, one.default, one.sentence) for one in config.SETTINGS]


def test_the_change_log_knows_this_version() -> None:
    assert f"## {scim_service.__version__}" in (sources.ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_file_that_the_readme_points_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert [link for link in links if not (sources.ROOT / link).exists()] == []


def test_the_benchmark_tables_are_what_the_results_say() -> None:
    results = json.loads(report.RESULTS.read_text(encoding="utf-8"))
    assert report.with_block(README, results) == README
    assert report.paper(results) == report.PAPER.read_text(encoding="utf-8")
