"""Every recording of an identity provider's habits, replayed over HTTP on both databases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from conformance import recording
from conformance.client import Client
from conformance.recording_file import CONDITIONS
from scim_service.licensing import catalog, contracts, rules
from tests.live import serving
from tests.service import Cast

RECORDINGS = recording.shipped()


@contextmanager
def one_seat(cast: Cast, known: Mapping[str, Any]) -> Iterator[None]:
    """The group named `${group}` gives a license of which one seat was bought."""
    with cast.writing() as work:
        catalog.create_type(work, "pro", "Pro", exit_grace=timedelta(0))
        contracts.create(work, "C-1", {"pro": 1})
        rules.create(work, known["group"], "pro")
    yield


@contextmanager
def license_types(cast: Cast, known: Mapping[str, Any]) -> Iterator[None]:
    """Two types of a family that attributes can name, `${lesser}` with ten seats and `${better}` with one."""
    with cast.writing() as work:
        for rank, name in enumerate(("lesser", "better")):
            catalog.create_type(work, known[name], name.title(), family="suite", rank=rank, exit_grace=timedelta(0))
        contracts.create(work, "C-1", {known["lesser"]: 10, known["better"]: 1})
    yield


@contextmanager
def failing_database(cast: Cast, _: Mapping[str, Any]) -> Iterator[None]:
    """Every statement of every engine fails as when the database has gone away."""

    def fail(*_: Any) -> None:
        raise sa.exc.OperationalError("a statement", None, OSError("the database has gone away"))

    engines = (cast.store.database.reads, cast.store.database.writes)
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_cursor_execute", fail)


def conditions(cast: Cast) -> recording.Conditions:
    found = {"one seat": one_seat, "license types": license_types, "a failing database": failing_database}
    return {name: partial(bring_about, cast) for name, bring_about in found.items()}


@pytest.mark.parametrize("which", RECORDINGS, ids=lambda one: one.name)
def test_the_service_answers_as_the_provider_needs(cast: Cast, which: recording.Recording) -> None:
    with serving(cast.app) as base, Client(base) as client:
        outcomes = recording.replay(client, which, {"token": cast.tokens[which.profile]}, conditions(cast))
    assert len(outcomes) >= len(which.exchanges)
    assert [str(outcome) for outcome in outcomes if not outcome.ok or outcome.untried] == []


def test_every_condition_can_be_brought_about_here(cast: Cast) -> None:
    assert set(conditions(cast)) == set(CONDITIONS)
