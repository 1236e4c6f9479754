"""A year of an organization, told as it happens: the acts of people, and what the clock and the mail server do.

The clock goes from 2027-03-15 to 2028-03-15 in steps of some hours: over both changes of the hour in Paris, a leap day,
days on which nobody runs the jobs, and a clock that is a day ahead or a day behind for some hours. Letters leave by a
real mail server; people answer with the links that are in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from scim_service.access import admins, links, tenant_settings, tenants
from scim_service.clock import format_instant
from scim_service.directory import answers, invitations, people
from scim_service.jobs.table import JOBS
from scim_service.jobs.worker import Worker
from scim_service.licensing import catalog, contracts, requests, rules, verify
from scim_service.licensing.contracts import Terms
from scim_service.storage import tables
from scim_service.storage.work import EVERY_TENANT, Work
from tests import service
from tests.conftest import SettableClock
from tests.mailserver import MailServer
from tests.service import SECRET, Cast

BEGIN, END = datetime(2027, 3, 15, 8, tzinfo=UTC), datetime(2028, 3, 15, 8, tzinfo=UTC)
LOOKS = [time(5), time(6), time(8), time(8, 10), time(12)]
"""When the jobs are looked after, each day, in UTC: 05:00 and 06:00 are 07:00 in Paris; nights are made up for then."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SECONDS_OF_OUTBOX = timedelta(seconds=30)
LINK = re.compile(r"https://scim\.example\.com/links/([\w-]+)")

_outbox = tables.delivery.outbox
_ENDED = (
    sa.select(_outbox.c.ended_at, _outbox.c.recipient, _outbox.c.letter, _outbox.c.language, _outbox.c.state)
    .add_columns(_outbox.c.reason, _outbox.c.seq)
    .where(_outbox.c.state != "queued")
    .execution_options(across_tenants=True)
)
_WAITING = (
    sa.select(sa.func.count())
    .where(_outbox.c.state == "queued", _outbox.c.due_at <= sa.bindparam("now"))
    .execution_options(across_tenants=True)
)


class Year:
    """The organization, its clock and its mail."""

    def __init__(self, cast: Cast, clock: SettableClock, server: MailServer) -> None:
        self.cast, self.clock, self.server = cast, clock, server
        more = {
            "SCIM_SMTP_URL": server.url(),
            "SCIM_PUBLIC_URL": "https://scim.example.com",
            "SCIM_OPERATOR_EMAIL": "operator@vendor.example",
        }
        self.worker = Worker(cast.store, service.settings(cast.store.database.url, **more), JOBS)
        self.ids: dict[str, str] = {}
        self.group_id = ""

    def live(self, until: datetime) -> None:
        """Everything that happens up to this instant."""
        for at in instants(until):
            self.clock.set(at)
            for what in HAPPENINGS.get(at, ()):
                what(self)
            if not any(first <= at < last for first, last in NOBODY):
                self.look()

    def look(self) -> None:
        """The jobs run, and the letters that they write leave half a minute later."""
        self.worker.tick()
        while self._waits():
            self.clock.advance(SECONDS_OF_OUTBOX)
            self.worker.tick()

    def _waits(self) -> bool:
        with self.cast.store.reading(EVERY_TENANT, service.ACTOR) as work:
            return bool(work.value(_WAITING, now=work.now))

    def told(self) -> list[str]:
        """`instant  recipient  letter (language)` of every letter that left, and why others did not, in order."""
        with self.cast.store.reading(EVERY_TENANT, service.ACTOR) as work:
            rows = sorted(work.rows(_ENDED), key=lambda row: (row.ended_at, row.recipient, row.letter, row.seq))
        return [_line(row) for row in rows]

    def check(self) -> None:
        """Nothing failed, and the seats are as they should be."""
        with self.cast.reading() as work:
            assert verify.findings(work) == []
            failed = work.rows(sa.select(tables.jobs.failed_items).execution_options(across_tenants=True))
            runs = work.rows(sa.select(tables.jobs.job_runs).where(tables.jobs.job_runs.c.state != "done"))
        assert (failed, runs) == ([], [])

    # ---- what people do

    def write(self, act: Callable[[Work], Any]) -> None:
        with self.cast.writing() as work:
            act(work)

    def push(self, name: str, **attributes: Any) -> None:
        """The identity provider makes a person."""
        address = attributes.pop("email", f"{name}@acme.example")
        made = self.cast.acme.user(name, emails=[{"value": address, "primary": True}], **attributes)
        self.ids[name] = made["id"]

    def found(self, *names: str) -> None:
        """The identity provider makes the group Sales."""
        self.group_id = self.cast.acme.group("Sales", *(self.ids[name] for name in names))["id"]

    def join(self, *names: str) -> None:
        values = [{"value": self.ids[name]} for name in names]
        self.cast.acme.patch(f"/Groups/{self.group_id}", {"op": "add", "path": "members", "value": values})

    def leave(self, name: str) -> None:
        path = f'members[value eq "{self.ids[name]}"]'
        self.cast.acme.patch(f"/Groups/{self.group_id}", {"op": "remove", "path": path})

    def turn(self, active: bool, *names: str) -> None:
        for name in names:
            self.cast.acme.patch(f"/Users/{self.ids[name]}", {"op": "replace", "path": "active", "value": active})

    def answer(self, address: str, about: str) -> None:
        """Somebody follows the newest link to an address in a letter of which this is said."""
        letters = [one for one in self.server.accepted if address in one.recipients and LINK.search(_text(one))]
        told = [one for one in letters if about.lower() in str(one.message["Subject"]).lower()]
        assert told, [str(one.message["Subject"]) for one in letters]
        found = LINK.search(_text(told[-1]))
        assert found is not None
        link = links.read(SECRET, found[1])
        assert link is not None
        self.write(lambda work: answers.accept(work, SECRET, link))


def _text(received: Any) -> str:
    body = received.message.get_body(("plain",))
    return str(body.get_content())


def _line(row: Any) -> str:
    outcome = "" if row.state == "sent" else f"  {row.state}: {row.reason}"
    return f"{format_instant(row.ended_at)}  {row.recipient or 'nobody'}  {row.letter} ({row.language}){outcome}"


def instants(until: datetime) -> Iterator[datetime]:
    """When somebody looks, or the clock is set, in the order in which it happens."""
    day = BEGIN.date()
    while day <= until.date():
        shift = SHIFTS.get(day.isoformat(), timedelta(0))
        for at in LOOKS:
            instant = datetime.combine(day, at, UTC)
            if BEGIN <= instant < until:
                yield instant + (shift if at >= time(6) else timedelta(0))
        day += DAY


def on(text: str) -> datetime:
    """08:00 of a day."""
    return datetime.combine(datetime.fromisoformat(text).date(), time(8), UTC)


def setup(year: Year) -> None:
    def act(work: Work) -> None:
        settings = {"time_zone": "Europe/Paris", "language": "fr", "verified_domains": "acme.example"}
        tenants.update(work, settings=tenant_settings.parsed({**settings, "mass_change_people": "2"}))
        admins.add(work, "ada@acme.example", "Ada", "administrator")
        admins.add(work, "bob@acme.example", "Bob", "administrator")
        catalog.create_type(work, "pro", "Professional", exit_grace=HOUR)
        catalog.update_type(work, "pro", name_fr="Professionnelle", requestable=True)
        contracts.create(work, "C-1", {"pro": 8}, ends=on("2027-09-30"))
        rules.create(work, "Sales", "pro")

    year.write(act)


def invite(email: str, **more: Any) -> Callable[[Year], None]:
    return lambda year: year.write(lambda work: invitations.create(work, email, type_code="pro", **more))


def appoint(year: Year) -> None:
    year.answer("ada@acme.example", "")
    year.write(lambda work: admins.appoint_head(work, "ada@acme.example"))


def sales(year: Year) -> None:
    for name, more in (("emma", {}), ("finn", {"preferredLanguage": "en"}), ("gil", {"email": "gil@home.example"})):
        year.push(name, **more)
    year.found("emma", "finn", "gil")


def more_people(year: Year) -> None:
    for name in ("hana", "iris", "jack", "kim", "lea"):
        year.push(name, preferredLanguage="en")
    year.join("hana", "iris", "jack", "kim", "lea")


def renew(year: Year) -> None:
    terms = Terms(starts=None, ends=on("2028-10-12"))
    year.write(lambda work: contracts.renew(work, "C-1", "C-2", {"pro": 7}, terms))


def ask(year: Year) -> None:
    year.push("nora")
    year.write(lambda work: requests.create(work, "nora", "pro", "for the fair"))


def deny(year: Year) -> None:
    year.write(lambda work: requests.deny(work, "nora", "pro", "not this year"))


def reclaim(year: Year) -> None:
    year.write(lambda work: catalog.update_type(work, "pro", reclaim=90, reclaim_asks=True))


def use(*names: str) -> Callable[[Year], None]:
    """The product says that these people were there."""
    return lambda year: year.write(lambda work: [people.active(work, name) for name in names])


HAPPENINGS: dict[datetime, list[Callable[[Year], None]]] = {
    BEGIN: [setup],
    on("2027-03-16"): [appoint, invite("ann@partner.example", language="en"), invite("ben@partner.example")],
    on("2027-03-18"): [lambda year: year.answer("ann@partner.example", "invit")],
    on("2027-03-20"): [lambda year: year.answer("ann@partner.example", "confirm")],
    on("2027-03-23"): [sales],
    on("2027-04-01"): [more_people],
    on("2027-04-08"): [lambda year: year.leave("finn")],
    on("2027-05-05"): [lambda year: year.write(lambda work: people.deactivate(work, "emma", reason="on leave"))],
    on("2027-05-07"): [invite("carl@partner.example")],
    on("2027-06-20"): [lambda year: year.turn(True, "emma")],
    on("2027-10-12"): [renew],
    on("2027-11-15"): [ask],
    on("2027-11-17"): [deny],
    on("2027-12-01"): [lambda year: year.turn(False, "hana", "iris", "jack")],
    on("2027-12-01") + timedelta(hours=4): [lambda year: year.turn(True, "hana", "iris", "jack")],
    on("2027-12-15"): [use("hana", "iris")],
    on("2028-01-10"): [reclaim],
    on("2028-02-26"): [lambda year: year.write(lambda work: contracts.set_seats(work, "C-2", {"pro": 8}))],
    on("2028-02-28"): [invite("dora@partner.example", language="en")],
}
"""What people do, by the instant; the jobs look after it."""

NOBODY = [(datetime(2027, 5, 8, tzinfo=UTC), datetime(2027, 5, 13, tzinfo=UTC))]
"""When nobody runs the jobs."""

SHIFTS = {"2027-07-01": DAY, "2027-11-21": DAY, "2027-12-07": -DAY}
"""Days on which the clock is wrong from 06:00 on, until the next morning, and by how much."""
