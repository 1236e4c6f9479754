"""Several processes at once at one link: it is used once, whatever else happens meanwhile (reliability.md L3)."""

from __future__ import annotations

import random
from typing import Any

import pytest

from scim_service.access import invitations, links
from scim_service.access.links import INVITATION, VERIFICATION
from scim_service.directory import invitations as asking
from scim_service.licensing import catalog, contracts, direct, verify
from scim_service.storage import tables
from tests import service
from tests.conftest import Count
from tests.races import soundness
from tests.races.conftest import PROCESSES, Race, Rounds
from tests.service import Cast

pytestmark = pytest.mark.proof

ALICE = "alice@acme.example"
AT_ONCE = 32


def prepared(cast: Cast) -> tuple[str, str, dict[str, str]]:
    """Somebody who is invited: the person's id, the invitation's seq, the links by kind."""
    with cast.writing() as work:
        catalog.create_type(work, "pro", "Pro")
        contracts.create(work, "C-1", {"pro": 1})
        made = asking.create(work, ALICE, type_code="pro")
        rows = invitations.of_person(work, direct.found_person(work, ALICE).seq)
    texts = {kind: links.made(service.SECRET, 1, "", row.subject).rpartition("/")[2] for kind, row in rows.items()}
    return made.user_id, str(rows[INVITATION].seq), texts


def letters(cast: Cast) -> list[str]:
    table = tables.delivery.outbox
    with cast.reading() as work:
        rows = work.rows(table.select().where(table.c.tenant_id == cast.acme_id).order_by(table.c.seq))
        return [row.letter for row in rows]


def test_L_3_of_thirty_two_who_use_a_link_at_once_one_does(rounds: Rounds, race: Race, count: Count) -> None:
    for cast, _ in rounds("one link, 32 times at once"):
        _, _, texts = prepared(cast)
        for kind in (INVITATION, VERIFICATION):
            acts: list[list[Any]] = [["answer", service.SECRET, texts[kind]]] * AT_ONCE
            outcomes = race(cast, [acts[number::PROCESSES] for number in range(PROCESSES)])
            assert sorted(outcome for _, outcome in outcomes) == ["404"] * (AT_ONCE - 1) + ["done"]
            count("{:,} links used 32 times at once, each once")
        assert letters(cast) == ["invitation", "verification", "welcome"]


def test_L_3_accepting_and_verifying_at_once_comes_to_one_welcome(rounds: Rounds, race: Race) -> None:
    for cast, _ in rounds("accept and verify"):
        _, _, texts = prepared(cast)
        acts: list[list[Any]] = [["answer", service.SECRET, text] for text in texts.values()]
        outcomes = race(cast, [[act] for act in acts * (PROCESSES // 2)])
        assert sorted(outcome for _, outcome in outcomes) == ["404"] * (PROCESSES - 2) + ["done"] * 2
        assert letters(cast) == ["invitation", "verification", "welcome"]


def test_L_3_whatever_happens_beside_an_answer_it_counts_whole_or_not_at_all(rounds: Rounds, race: Race) -> None:
    for cast, seed in rounds("a link and all that kills it"):
        user_id, seq, texts = prepared(cast)
        answers: list[list[Any]] = [["answer", service.SECRET, text] for text in texts.values()]
        others: list[list[Any]] = [
            ["readdress", user_id, "alice@new.example"],
            ["active", user_id, False],
            ["withdraw", ALICE],
            ["climb", int(seq)],
            ["rest", ALICE],
            ["delete", user_id],
            ["unassign", ALICE, "pro"],
            ["ban", ALICE, "spam"],
        ]
        chosen = random.Random(seed).sample(others, 4)
        outcomes = race(cast, [[act] for act in [*answers, *chosen, *answers]])
        used = [act[2] for act, outcome in outcomes if act[0] == "answer" and outcome == "done"]
        assert len(used) == len(set(used)), "a link was used twice"
        assert {outcome for _, outcome in outcomes} <= {"done", "404", "409"}, outcomes
        with cast.reading() as work:
            assert soundness.faults(work) == []
            assert verify.findings(work) == []
            rows = {row.kind: row.state for row in invitations.listing(work)}
        if rows and texts[INVITATION] in used:
            assert rows[INVITATION] == invitations.DONE
