"""An installation of an older schema comes to the newest one with all that is in it, or stays as it was (F17).

The samples were made by the code of their time (tests/samples/filling.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import audit, config
from scim_service.app import create_app
from scim_service.cli import demo_data, opening
from scim_service.clock import Clock
from scim_service.licensing import replay, verify
from scim_service.storage import migrations, schema_version, tables
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor
from tests import service
from tests.conftest import Count
from tests.samples import filling, installation
from tests.samples.installation import Sample
from tests.storage.test_migrations import description

ROOT = Path(__file__).parents[2]
PROVE = os.environ.get("SCIM_TEST_PROVE") == "1"
STEP = 1 if PROVE else 10
ACTOR = Actor("cli", "test")
NOON = Clock.parse("2027-03-01T12:00:00Z")


@pytest.fixture(params=installation.revisions())
def revision(request: pytest.FixtureRequest) -> str:
    """An older schema of which there is a sample."""
    found: str = request.param
    return found


@pytest.fixture
def sample(revision: str) -> Sample:
    return installation.read(revision)


@pytest.fixture
def older(empty_url: str, revision: str, sample: Sample) -> str:
    """A database as the program of that schema left it."""
    migrations.upgrade(empty_url, revision)
    installation.put(empty_url, sample)
    return empty_url


def revision_of(url: str) -> str | None:
    with closing(Database(url, threads=1)) as database, database.writes.connect() as connection:
        return schema_version.of(connection)


def test_a_sample_has_rows_in_every_table_of_its_schema(older: str, sample: Sample) -> None:
    assert installation.kept(older) == sample
    assert [name for name, table in sample.items() if not table["rows"]] == []


def test_an_upgraded_schema_is_a_new_one(older: str, database_url: str) -> None:
    migrations.upgrade(older)
    assert migrations.differences(older) == []
    assert description(older) == description(database_url)


def test_everything_that_was_there_is_there(older: str, sample: Sample) -> None:
    migrations.upgrade(older)
    assert lost(sample, installation.kept(older)) == []


def lost(before: Sample, after: Sample) -> list[str]:
    """Which tables, columns or rows are not as they were; what is new counts for nothing."""
    found = []
    for name, table in before.items():
        if name not in after:
            found.append(name)
            continue
        places = [after[name]["columns"].index(column) for column in table["columns"]]
        rows = [[row[place] for place in places] for row in after[name]["rows"]]
        if rows != table["rows"]:
            found.append(name)
    return found


def test_the_service_goes_on_with_its_tokens_people_seats_and_log(older: str) -> None:
    migrations.upgrade(older)
    with closing(Database(older, threads=4)) as database:
        store = Store(database, NOON)
        for tenant in tenants_of(store):
            assert findings(store, tenant) == []
        okta = caller(store, older)
        people = okta.get("/Users", count=100).body["Resources"]
        assert {"person0@acme.example", "copy@acme.example", "alice@acme.example"} <= {
            one["userName"] for one in people
        }
        made = okta.user("new@acme.example", userType="Employee")
        sales = okta.get("/Groups", filter='displayName eq "Sales"').body["Resources"][0]
        assert okta.patch(f"/Groups/{sales['id']}", service.adding(made["id"])).status in (200, 204)
        assert okta.delete(f"/Users/{people[0]['id']}").status == 204
        for tenant in tenants_of(store):
            assert findings(store, tenant) == []


def caller(store: Store, url: str) -> service.Caller:
    """Okta, with the token that the demo of the sample's time printed."""
    settings = config.from_environment({"SCIM_DATABASE_URL": url, "SCIM_SECRET_KEY": filling.KEY})
    tokens = demo_data.plant(opening.Service(settings, store), filling.KEY).tokens
    return service.Caller(create_app(settings, store).test_client(), tokens["acme", "okta"])


def tenants_of(store: Store) -> list[int]:
    with store.reading(EVERY_TENANT, ACTOR) as work:
        return [row.id for row in work.rows(sa.select(tables.access.tenants.c.id))]


def findings(store: Store, tenant: int) -> list[Any]:
    """What `seats verify` and `log replay --check` find."""
    with store.reading(tenant, ACTOR) as work:
        rebuilt = replay.fold(audit.everything(work))
        return [*verify.findings(work), *replay.differences(rebuilt, replay.tabled(work))]


@pytest.fixture
def killer(older: str) -> Iterator[Any]:
    """Upgrades the database in a child that is killed before a statement; how that ended."""
    command = [sys.executable, "-m", "tests.storage.killing_upgrades", older]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    def kill(number: int) -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{number}\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    yield kill
    process.communicate(timeout=60)


@pytest.mark.proof
def test_an_upgrade_that_is_killed_before_any_statement_leaves_the_old_schema_with_its_data_and_the_next_one_goes_on(
    older: str, revision: str, sample: Sample, killer: Any, count: Count
) -> None:
    number = 1
    while killer(number) == "killed":
        assert revision_of(older) == revision
        assert installation.kept(older) == sample
        count(f"an upgrade from {revision} killed before {{:,}} of its statements")
        number += STEP
    assert number > 20
    assert revision_of(older) == schema_version.newest()
    assert migrations.differences(older) == []
    assert lost(sample, installation.kept(older)) == []


def test_the_script_that_made_the_samples_makes_one_of_this_schema_too(database_url: str) -> None:
    settings = {"SCIM_DATABASE_URL": database_url, "SCIM_SECRET_KEY": filling.KEY}
    filling.fill(settings)
    with closing(Database(database_url)) as database:
        store = Store(database, NOON)
        assert [findings(store, tenant) for tenant in tenants_of(store)] == [[], []]
    made = installation.kept(database_url)
    for name in installation.read(installation.revisions()[-1]):
        assert made[name]["rows"], name
