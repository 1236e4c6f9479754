"""An installation with something of everything, made by the program itself: by its commands, and over SCIM.

    python -m tests.samples.filling FOLDER > tests/samples/installation_NNNN.json

FOLDER is empty. This is how the samples of older schemas were made, by the code of their time; words of commands are
stable, so the same script makes the next one. A schema that is about to change gets its sample first.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from scim_service import config
from scim_service.app import create_app
from scim_service.cli import demo_data, opening, program
from scim_service.clock import Clock
from scim_service.storage.store import Store
from tests import service
from tests.samples import installation

KEY = "a key for samples only, long enough for one"
BEGIN = datetime(2027, 3, 1, 8, tzinfo=UTC)
SOON = "2027-09-01T00:00:00Z"
LATER = "2028-03-01T00:00:00Z"


class Town:
    """A terminal, callers with the demo's tokens, and a clock for all of them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.now = BEGIN
        self.settings = config.from_environment(self.environment)

    def do(self, line: str, *more: str) -> str:
        """A command in words, and further arguments as they are; it must succeed."""
        got = CliRunner().invoke(
            program.root, [*line.split(), *more], env={**self.environment, "SCIM_CLOCK": self.now.isoformat()}
        )
        if got.exit_code:
            raise AssertionError((line, more, got.output, got.exception))
        return got.stdout.strip()

    def later(self, **duration: float) -> None:
        """Time passes; so that no two things are of one instant."""
        self.now += timedelta(**duration)


def fill(environment: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Fill the migrated database that these settings name; the tokens, by tenant and connection."""
    town = Town(environment)
    os.environ.update({"SCIM_CLOCK": BEGIN.isoformat()})
    try:
        with opening.opened(config.from_environment({**town.environment, "SCIM_CLOCK": BEGIN.isoformat()})) as opened:
            tokens = demo_data.plant(opened, KEY).tokens
            _people(town, opened.store, tokens)
            _licenses(town)
            _by_hand(town)
            _administration(town)
            _changes(town, opened.store, tokens)
    finally:
        del os.environ["SCIM_CLOCK"]
    return tokens


def _caller(town: Town, store: Store, token: str) -> service.Caller:
    app = create_app(town.settings, Store(store.database, Clock(lambda: town.now)))
    return service.Caller(app.test_client(), token)


def _people(town: Town, store: Store, tokens: Mapping[tuple[str, str], str]) -> None:
    okta = _caller(town, store, tokens["acme", "okta"])
    ids = {}
    for number in range(12):
        town.later(minutes=1)
        name = f"person{number}"
        ids[name] = okta.user(
            f"{name}@acme.example",
            externalId=f"00u{number}",
            active=number != 11,
            name={"givenName": name.title(), "familyName": "Ünïcödé ß 漢字"},
            emails=[{"value": f"{name}@acme.example", "type": "work", "primary": True}],
            userType="Employee" if number % 2 else "Contractor",
        )["id"]
    town.later(minutes=1)
    okta.user("long@acme.example", displayName="x" * 300, title='tab\t, "quotes", back\\slash and \u2028')
    for group, members in {"Sales": range(8), "Support": range(4, 10), "Field": range(2)}.items():
        town.later(minutes=1)
        ids[group] = okta.group(group, *(ids[f"person{one}"] for one in members), externalId=f"grp-{group}")["id"]
    okta.group("Everyone at Acme", ids["Sales"], ids["Support"], "00000000-0000-4000-8000-000000000000")


def _licenses(town: Town) -> None:
    create = "license-type create acme"
    town.do(f"{create} seat --rank 1 --product Tools --reclaim 30d --name", "Seat")
    town.do(
        f"{create} plus --product Tools --requires seat --exit-grace 24h --requestable --request-mode manual --name",
        "Plus",
        "--name-fr",
        "Plus étendu",
    )
    town.do(f"{create} lab --free --excludes plus --name", "Lab")
    town.do(f"{create} desk --family desk --rank 1 --suspend-frees --name Desk")
    town.do(
        f"{create} desk-pro --family desk --rank 2 --implies plus --conflict-policy rule_priority --name", "Desk Pro"
    )
    contract = "contract create acme --number"
    town.do(f"{contract} T-1 --seats seat=5 plus=3 --overage seat=count:1 --reserve seat=1 --ends {LATER}")
    town.do(
        f"{contract} T-2 --seats desk=3 desk-pro=2 --overage desk=true_up --ends {SOON} --contact buyer@acme.example"
    )
    town.do(f"contract renew acme --number T-2 --as T-3 --seats desk=5 --starts {SOON} --ends {LATER}")
    town.do(f"contract add-line acme --number T-1 --seats plus=1 --from {SOON} --to {LATER}")
    town.later(minutes=1)
    town.do("rule create acme --group Sales --type seat --type plus --atomic --priority 10")
    town.do("rule create acme --type desk --everyone --filter", 'userType eq "Employee"')
    town.do("rule create acme --group Support --type desk-pro --quota 1 --exclude person7@acme.example")
    town.do("rule create acme --type lab --exit-grace 30d --group", "Not pushed yet")
    town.do("rule create acme --group Field --type lab --exit-grace 30d")


def _by_hand(town: Town) -> None:
    town.later(minutes=1)
    town.do(f"assign acme --user person9@acme.example --type seat --expires {SOON} --note", "for the fair")
    town.do("assign acme --user person1@acme.example --type desk --pin")
    town.do("seat suspend acme --user person3@acme.example --type desk --hold-seat --reason leave")
    town.do("seat suspend acme --user person7@acme.example --type desk --free-seat --reason leave")
    town.do("person grants acme --user person9@acme.example --add file-1 --add file-2 --team hiring")
    town.do("person copy acme --from person9@acme.example --type seat --user copy@acme.example --given-name Copy")
    town.do("person flags acme --user person8@acme.example --void-sessions --must-change-password --privacy-override")
    town.do("person ban acme --user person10@acme.example --reason", "took the coffee machine")
    for number in (6, 8, 9):
        town.do(f"request create acme --user person{number}@acme.example --type plus --reason please")
    town.do("request deny acme --user person8@acme.example --type plus --reason", "not this year")
    town.do("tenant update acme --set mass_change_people=2")


def _administration(town: Town) -> None:
    town.do("admin add acme --email ada@acme.example --name Ada --role administrator")
    town.do("admin accept acme --email ada@acme.example")
    town.do("admin appoint-head acme --email ada@acme.example")
    town.do("admin add acme --email lee@acme.example --name Lee --role license_administrator --product Tools")
    town.do("connection create acme --name strict --profile rfc --over-cap strict")
    ended = town.do("token create acme --connection strict")[5:13]
    town.do(f"token revoke acme {ended}")
    turned = town.do("token create acme --connection strict --scope check --days 30")[5:13]
    town.do(f"token rotate acme {turned} --connection strict --overlap 24h")


def _changes(town: Town, store: Store, tokens: Mapping[tuple[str, str], str]) -> None:
    """What is in grace, parked, over the cap, or gone."""
    okta = _caller(town, store, tokens["acme", "okta"])
    town.later(hours=1)
    found = {one["userName"]: one["id"] for one in okta.get("/Users", count=100).body["Resources"]}
    groups = {one["displayName"]: one["id"] for one in okta.get("/Groups").body["Resources"]}
    gone = {"op": "remove", "path": f'members[value eq "{found["person0@acme.example"]}"]'}
    okta.patch(f"/Groups/{groups['Sales']}", gone)
    town.later(minutes=1)
    okta.delete(f"/Users/{found['long@acme.example']}")
    town.do("contract set-seats acme --number T-1 seat=2 --mode freeze")
    town.later(minutes=1)
    for number in (1, 3, 5):
        assert okta.delete(f"/Users/{found[f'person{number}@acme.example']}").status == 204
    okta.delete(f"/Groups/{groups['Field']}")
    rfc = _caller(town, store, tokens["acme", "rfc"])
    rfc.patch(f"/Users/{found['person2@acme.example']}", {"op": "replace", "path": "title", "value": "adopted"})


if __name__ == "__main__":
    file = Path(sys.argv[1]).absolute() / "scim.db"
    url = {"SCIM_DATABASE_URL": f"sqlite:///{file}", "SCIM_SECRET_KEY": KEY}
    os.environ.update(url)
    CliRunner().invoke(program.root, ["db", "upgrade"], catch_exceptions=False)
    fill(url)
    sample: dict[str, Any] = installation.kept(url["SCIM_DATABASE_URL"])
    empty = [name for name, table in sample.items() if not table["rows"]]
    print(installation.text(sample))
    print(f"Tables without a row: {', '.join(empty) or 'none'}.", file=sys.stderr)
    json.loads(installation.text(sample))
