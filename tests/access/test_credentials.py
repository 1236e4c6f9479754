"""Tokens: random, checkable, shown once, kept as a hash, ended by time or by hand (reliability.md A1 to A4)."""

from __future__ import annotations

import hashlib
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.access import connections, credentials, tenants
from scim_service.storage import tables
from scim_service.storage.database import Database
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor, Work
from tests.conftest import SettableClock

ACTOR = Actor("cli", "test")
SEED = bytes(range(40))


def create(store: Store, tenant_id: int, name: str = "okta", **options: Any) -> str:
    with store.writing(tenant_id, ACTOR) as work:
        return credentials.create(work, connections.find(work, name), **options)


def authenticate(store: Store, token: str) -> credentials.Caller:
    with store.reading(EVERY_TENANT, ACTOR) as work:
        return credentials.authenticate(work, token)


def refusal(store: Store, token: str) -> str:
    with pytest.raises(errors.Unauthorized) as caught:
        authenticate(store, token)
    assert caught.value.status == 401
    return caught.value.detail


def rotate(store: Store, tenant_id: int, token: str, overlap: timedelta, days: int = 30) -> str:
    with store.writing(tenant_id, ACTOR) as work:
        return credentials.rotate(work, connections.find(work, "okta"), token[5:13], days, overlap)


def revoke(store: Store, tenant_id: int, token: str) -> None:
    with store.writing(tenant_id, ACTOR) as work:
        credentials.revoke(work, token[5:13])


@contextmanager
def counted(work: Work) -> Iterator[list[str]]:
    """The SQL that runs meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        seen.append(sql)

    sa.event.listen(work.connection.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(work.connection.engine, "before_cursor_execute", note)


def founded(store: Store, slug: str) -> int:
    with store.writing(EVERY_TENANT, ACTOR) as work:
        tenants.create(work, slug, slug.title())
        connections.create(work, "okta", "okta")
        return work.tenant_id


@pytest.fixture
def acme(store: Store) -> int:
    """Acme, with the connection `okta`."""
    return founded(store, "acme")


@pytest.fixture
def globex(store: Store, acme: int) -> int:
    """Globex, with a connection of the same name."""
    return founded(store, "globex")


# ---- the text of a token


def test_a_token_is_a_prefix_a_secret_and_a_check(store: Store, acme: int) -> None:
    match = credentials.TOKEN.fullmatch(create(store, acme))
    assert match
    prefix, secret, check = match.groups()
    assert check == f"{zlib.crc32(f'{prefix}_{secret}'.encode()):08x}"


def test_two_tokens_have_nothing_in_common(store: Store, acme: int) -> None:
    first, second = create(store, acme), create(store, acme)
    assert first[5:13] != second[5:13]
    assert first[14:57] != second[14:57]


def test_a_token_of_a_seed_is_always_the_same_one() -> None:
    assert credentials.token_text(SEED) == credentials.token_text(SEED)
    assert credentials.token_text(SEED) != credentials.token_text(SEED[::-1])
    assert credentials.TOKEN.fullmatch(credentials.token_text(SEED))


def test_a_token_made_of_a_seed_lets_in(store: Store, acme: int) -> None:
    assert create(store, acme, seed=SEED) == credentials.token_text(SEED)
    assert authenticate(store, credentials.token_text(SEED)).connection == "okta"


# ---- who gets in


def test_a_token_says_tenant_connection_profile_and_scope(store: Store, acme: int, globex: int) -> None:
    token = create(store, globex, scope="read")
    caller = authenticate(store, token)
    assert (caller.tenant_id, caller.connection, caller.profile, caller.scope) == (globex, "okta", "okta", "read")
    assert (caller.prefix, caller.last_seen_at, caller.next_due) == (token[5:13], None, None)
    assert authenticate(store, create(store, acme)).tenant_id == acme


def one_character_off(token: str) -> list[str]:
    """The token with another character at its ends, in its middle and at its seams."""
    places = (5, 12, 14, 40, 56, 57, 64)
    return [token[:place] + ("0" if token[place] != "0" else "1") + token[place + 1 :] for place in places]


NO_TOKENS = ["", "scim_", "Bearer x", "scim_0000000g_" + "a" * 51, "ſcim_", "a" * 100_000]


def test_a_mistyped_token_is_refused_without_a_query(store: Store, acme: int) -> None:
    token = create(store, acme)
    with store.reading(EVERY_TENANT, ACTOR) as work, counted(work) as seen:
        for wrong in [*one_character_off(token), f"{token} ", f" {token}", f"{token}\n", token * 2, *NO_TOKENS]:
            with pytest.raises(errors.Unauthorized, match="not known"):
                credentials.authenticate(work, wrong)
            assert seen == [], wrong
        credentials.authenticate(work, token)
        assert len(seen) == 1


def test_the_right_prefix_with_another_secret_is_refused_as_unknown(store: Store, acme: int) -> None:
    prefix, secret = create(store, acme)[5:13], "A" * 43
    forged = f"scim_{prefix}_{secret}{zlib.crc32(f'{prefix}_{secret}'.encode()):08x}"
    assert refusal(store, forged) == refusal(store, credentials.token_text(SEED))


# ---- where it is kept


def test_a_token_is_nowhere_in_the_database(store: Store, acme: int) -> None:
    token = create(store, acme)
    successor = rotate(store, acme, token, timedelta(hours=1))
    with store.reading(EVERY_TENANT, ACTOR) as work:
        kept = {
            table.name: str(work.rows(sa.select(table).execution_options(across_tenants=True)))
            for table in tables.metadata.tables.values()
        }
    assert hashlib.sha256(token.encode()).hexdigest() in kept["credentials"]
    for one in (token, successor):
        assert [name for name, text in kept.items() if one[14:57] in text] == []


def test_a_token_is_nowhere_in_the_file_of_sqlite(sqlite_template: Path, tmp_path: Path, clock: SettableClock) -> None:
    path = tmp_path / "tokens.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    store = Store(database, clock)
    token = create(store, founded(store, "acme"))
    written = b"".join(one.read_bytes() for one in tmp_path.glob("tokens.db*"))
    database.close()
    assert token[5:13].encode() in written
    assert token[14:57].encode() not in written


def test_what_is_listed_and_logged_of_a_token_has_no_secret_in_it(store: Store, acme: int) -> None:
    token = create(store, acme, days=7)
    with store.reading(acme, ACTOR) as work:
        (listed,) = credentials.listing(work)
        (event,) = audit.about(work, token[5:13])
    assert (listed.prefix, listed.connection, listed.scope) == (token[5:13], "okta", "write")
    assert (event.action, event.data) == ("token:created", {"connection": "okta", "scope": "write", "days": 7})
    assert token[14:57] not in repr((listed, event))


# ---- how it ends


def test_a_token_lives_for_its_days_and_not_a_millisecond_longer(store: Store, acme: int, clock: SettableClock) -> None:
    token = create(store, acme, days=30)
    clock.advance(timedelta(days=30) - timedelta(milliseconds=1))
    assert authenticate(store, token).prefix == token[5:13]
    clock.advance(timedelta(milliseconds=1))
    assert "has expired" in refusal(store, token)


@pytest.mark.parametrize("days", [0, -1, credentials.MOST_DAYS + 1])
def test_nobody_makes_a_token_that_is_dead_or_lives_too_long(store: Store, acme: int, days: int) -> None:
    with pytest.raises(errors.InvalidValue, match="1 to 730 days"):
        create(store, acme, days=days)


def test_a_scope_that_is_not_known_is_refused(store: Store, acme: int) -> None:
    with pytest.raises(errors.InvalidValue, match="read, write, check"):
        create(store, acme, scope="admin")


def test_a_revoked_token_is_refused_at_once(store: Store, acme: int) -> None:
    token, other = create(store, acme), create(store, acme)
    revoke(store, acme, token)
    assert "was revoked" in refusal(store, token)
    assert authenticate(store, other).prefix == other[5:13]


def test_revoking_twice_is_refused_and_moves_nothing(store: Store, acme: int, clock: SettableClock) -> None:
    token = create(store, acme)
    revoke(store, acme, token)
    ended = ends(store, acme)
    clock.advance(timedelta(hours=1))
    with pytest.raises(errors.Refused, match="revoked already"):
        revoke(store, acme, token)
    assert ends(store, acme) == ended


def test_nobody_ends_or_sees_a_token_of_another_tenant(store: Store, acme: int, globex: int) -> None:
    token = create(store, globex)
    with pytest.raises(errors.NotFound):
        revoke(store, acme, token)
    with pytest.raises(errors.NotFound):
        rotate(store, acme, token, timedelta(0))
    with store.reading(acme, ACTOR) as work:
        assert credentials.listing(work) == []
    assert authenticate(store, token).tenant_id == globex


def test_a_rotated_token_works_on_for_the_overlap_beside_its_successor(
    store: Store, acme: int, clock: SettableClock
) -> None:
    token = create(store, acme, scope="read")
    successor = rotate(store, acme, token, timedelta(hours=24))
    clock.advance(timedelta(hours=24) - timedelta(milliseconds=1))
    assert authenticate(store, token).scope == authenticate(store, successor).scope == "read"
    clock.advance(timedelta(milliseconds=1))
    assert "was revoked" in refusal(store, token)
    assert authenticate(store, successor).prefix == successor[5:13]


def test_a_rotation_without_overlap_ends_the_old_token_at_once(store: Store, acme: int) -> None:
    token = create(store, acme)
    rotate(store, acme, token, timedelta(0))
    assert "was revoked" in refusal(store, token)


def test_an_overlap_does_not_make_a_token_live_longer(store: Store, acme: int, clock: SettableClock) -> None:
    token = create(store, acme, days=1)
    rotate(store, acme, token, timedelta(days=7))
    clock.advance(timedelta(days=1))
    assert "has expired" in refusal(store, token)


def test_a_token_is_rotated_once(store: Store, acme: int) -> None:
    token = create(store, acme)
    rotate(store, acme, token, timedelta(hours=1))
    with pytest.raises(errors.Refused, match="create a new one"):
        rotate(store, acme, token, timedelta(hours=1))
    with store.reading(acme, ACTOR) as work:
        assert len(credentials.listing(work)) == 2


def test_a_token_is_rotated_for_its_own_connection_only(store: Store, acme: int) -> None:
    token = create(store, acme)
    with store.writing(acme, ACTOR) as work:
        entra = connections.create(work, "entra", "entra")
    with pytest.raises(errors.NotFound, match="belongs to okta"), store.writing(acme, ACTOR) as work:
        credentials.rotate(work, entra, token[5:13], 30, timedelta(0))
    assert authenticate(store, token).connection == "okta"


def test_a_token_in_its_overlap_can_still_be_ended_now(store: Store, acme: int) -> None:
    token = create(store, acme)
    rotate(store, acme, token, timedelta(hours=24))
    revoke(store, acme, token)
    assert "was revoked" in refusal(store, token)


def test_a_rotation_that_is_refused_leaves_no_successor(store: Store, acme: int) -> None:
    token = create(store, acme)
    with pytest.raises(errors.InvalidValue):
        rotate(store, acme, token, timedelta(hours=1), days=0)
    with store.reading(acme, ACTOR) as work:
        assert [one.revoked_at for one in credentials.listing(work)] == [None]


def test_a_token_that_is_revoked_while_it_is_rotated_stays_revoked(store: Store, acme: int) -> None:
    token = create(store, acme)

    def rotate_too() -> None:
        try:
            rotate(store, acme, token, timedelta(hours=24))
        except errors.ScimError:
            pass

    other = threading.Thread(target=rotate_too)
    with store.writing(acme, ACTOR) as work:
        credentials.revoke(work, token[5:13])
        other.start()
        other.join(0.5)
    other.join()
    assert "was revoked" in refusal(store, token)


def test_two_rotations_at_once_make_one_successor(store: Store, acme: int) -> None:
    token = create(store, acme)
    refused: list[errors.ScimError] = []

    def rotate_too() -> None:
        try:
            rotate(store, acme, token, timedelta(hours=1))
        except errors.ScimError as problem:
            refused.append(problem)

    other = threading.Thread(target=rotate_too)
    with store.writing(acme, ACTOR) as work:
        credentials.rotate(work, connections.find(work, "okta"), token[5:13], 30, timedelta(hours=1))
        other.start()
        other.join(0.5)
    other.join()
    with store.reading(acme, ACTOR) as work:
        assert len(credentials.listing(work)) == 2
    assert len(refused) == 1


def ends(store: Store, tenant_id: int) -> list[datetime | None]:
    with store.reading(tenant_id, ACTOR) as work:
        return [one.revoked_at for one in credentials.listing(work)]
