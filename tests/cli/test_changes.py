"""License types, contracts, rules and tenants are changed with all their options; what changes access is previewed."""

from __future__ import annotations

from typing import Any

import pytest

from scim_service.licensing import assignments
from tests.cli.conftest import NOW, Terminal, Write, group, person

LATER = "2027-06-01T00:00:00Z"


@pytest.fixture
def sales(acme: Terminal, write: Write) -> Terminal:
    """Three seats of each type; alice, bob and carol are in Sales, which gives basic, alice first."""
    acme.do("contract", "set-seats", "acme", "--number", "C-1", "basic=3", "professional=3")
    write(group("Sales", *[write(person(name)) for name in ("alice", "bob", "carol")]))
    acme.do("rule", "create", "acme", "--group", "Sales", "--type", "basic")
    return acme


def previewed(terminal: Terminal, *command: str) -> Any:
    """The dry run of a command, which changes nothing; then the command with its version, which must succeed."""
    before = everything(terminal)
    found = terminal.do(*command, "--dry-run", "--json").json
    assert everything(terminal) == before
    terminal.do(*command, "--version", found["version"])
    assert terminal.do("seats", "verify", "acme", "--json").json["findings"] == []
    return found


def everything(terminal: Terminal) -> list[Any]:
    listings = ("seats", "people"), ("license-type", "contract", "rule")
    asked = [(one, "acme") for one in listings[0]] + [(one, "list", "acme") for one in listings[1]]
    return [terminal.do(*one, "--json").json for one in (*asked, ("tenant", "list"))]


def states(terminal: Terminal, code: str) -> dict[str, str]:
    return {one["user"]: one["state"] for one in terminal.do("people", "acme", "--type", code, "--json").json}


def users(rows: list[Any]) -> list[str]:
    return [one["user"] for one in rows]


def refused(terminal: Terminal, code: str, *command: str) -> str:
    """The sentence of a command that is refused with this code and changes nothing."""
    before = everything(terminal)
    sentence = terminal.refused(*command)
    assert sentence.endswith(f" [{code}]"), sentence
    assert everything(terminal) == before
    return sentence


def test_D_4_a_type_is_made_and_changed_with_all_that_there_is_to_say(acme: Terminal) -> None:
    said = ("--name", "Tool", "--name-fr", "Outil", "--product", "Suite", "--exit-grace", "2h", "--authority", "groups")
    ties = ("--requires", "basic", "--requires", "professional", "--implies", "basic")
    more = ("--reclaim", "30d", "--request-mode", "manual", "--requestable", "--no-fallback", "--grace-yields")
    more_still = ("--reclaim-asks", "--rights", '{"rooms": 5}', "--json")
    made = acme.do("license-type", "create", "acme", "tool", *said, *ties, *more, *more_still)
    expected: dict[str, Any] = {
        "name_fr": "Outil",
        "authority": "groups",
        "requires": ["basic", "professional"],
        "implies": ["basic"],
    }
    expected |= {
        "reclaim": "30d",
        "reclaim_asks": True,
        "request_mode": "manual",
        "requestable": True,
        "fallback": False,
        "rights": {"rooms": 5},
    }
    assert {name: made.json[name] for name in expected} == expected
    changes = ("--unset", "requires", "--unset", "reclaim", "--suspend-frees", "--grace-stays", "--name", "The tool")
    acme.do("license-type", "update", "acme", "tool", *changes, "--reclaim-reports")
    found = next(one for one in acme.do("license-type", "list", "acme", "--json").json if one["type"] == "tool")
    assert (found["requires"], found["reclaim"], found["suspend_frees"], found["name"]) == ([], None, True, "The tool")
    assert (found["grace_yields"], found["implies"], found["reclaim_asks"]) == (False, ["basic"], False)


def test_E_24_a_change_of_a_type_is_previewed(sales: Terminal) -> None:
    sales.do("assign", "acme", "--user", "alice", "--type", "professional")
    found = previewed(sales, "license-type", "update", "acme", "basic", "--rank", "30")
    assert [(one["user"], one["from"], one["type"]) for one in found["moving"]] == [("alice", "professional", "basic")]
    assert states(sales, "professional") == {"alice": "covered"}


def test_E_24_a_prerequisite_that_is_not_held_takes_the_license(sales: Terminal) -> None:
    found = previewed(sales, "license-type", "create", "acme", "tool", "--name", "Tool")
    assert found["losing"] == []
    found = previewed(sales, "license-type", "update", "acme", "basic", "--requires", "tool")
    assert [(one["user"], one["state"], one["reason"], one["at_once"]) for one in found["losing"]] == [
        (name, "blocked", "missing_prerequisite", True) for name in ("alice", "bob", "carol")
    ]


def test_C_05_a_retired_type_stays_with_who_holds_it_and_is_given_to_nobody_new(sales: Terminal, write: Write) -> None:
    found = previewed(sales, "license-type", "retire", "acme", "basic")
    assert found["losing"] == []
    assert set(states(sales, "basic").values()) == {"assigned"}
    write(person("dave"))
    sales.do("contract", "set-seats", "acme", "--number", "C-1", "basic=9")
    assert "retired" in sales.refused("assign", "acme", "--user", "dave", "--type", "basic")


@pytest.mark.parametrize(("mode", "state", "at_once"), [("freeze", "grace", False), ("immediate", "waiting", True)])
def test_E_21_a_lowered_cap_is_previewed_with_its_dates(sales: Terminal, mode: str, state: str, at_once: bool) -> None:
    found = previewed(sales, "contract", "set-seats", "acme", "--number", "C-1", "basic=1", "--mode", mode)
    assert {(one["user"], one["state"], one["at_once"]) for one in found["losing"]} == {
        (name, state, at_once) for name in ("bob", "carol")
    }
    assert {one["until"] for one in found["losing"]} == ({None} if at_once else {"2027-03-31T08:00:00Z"})
    row = next(one for one in sales.do("seats", "acme", "--json").json if one["type"] == "basic")
    planned = [] if at_once else [{"seats": 2, "reason": "cap_decrease", "until": "2027-03-31T08:00:00Z"}]
    assert (row["drops"], row["cap"], row["overage"]) == (planned, 1, 0 if at_once else 2)


def test_E_18_a_renewal_with_fewer_seats_is_previewed(sales: Terminal) -> None:
    command = ("contract", "renew", "acme", "--number", "C-1", "--as", "C-2", "--seats", "basic=2", "--ends", LATER)
    found = previewed(sales, *command)
    assert users(found["losing"]) == ["carol"]
    shown = sales.do("contract", "show", "acme", "--number", "C-2", "--json").json
    assert (shown["renewal_of"], shown["seats"], shown["ends"]) == ("C-1", {"basic": 2, "professional": 3}, LATER)
    assert "C-1" in sales.do("contract", "show", "acme", "--number", "C-2").out


def test_D_5_a_line_for_a_part_of_the_time_and_the_terms_of_a_contract(acme: Terminal) -> None:
    terms = (
        "--grace",
        "7d",
        "--overage",
        "basic=count:2",
        "--reserve",
        "basic=1",
        "--plan",
        "gold",
        "--contact",
        "x@y.example",
    )
    acme.do("contract", "create", "acme", "--number", "C-9", "--seats", "basic=4", *terms)
    line = ("--seats", "basic=5", "--from", LATER, "--to", "2027-07-01T00:00:00Z")
    acme.do("contract", "add-line", "acme", "--number", "C-9", *line)
    found = acme.do("contract", "show", "acme", "--number", "C-9", "--json").json
    assert (found["grace"], found["plan"], found["contacts"]) == ("7d", "gold", ["x@y.example"])
    assert [(one["quantity"], one["from"], one["reserve"], one["overage"]) for one in found["lines"]] == [
        (4, None, 1, "count:2"),
        (5, LATER, 0, "block"),
    ]
    row = next(one for one in acme.do("seats", "acme", "--json").json if one["type"] == "basic")
    assert (row["cap"], row["limit"]) == (5, 7)
    assert [one["number"] for one in acme.do("contract", "list", "acme", "--json").json] == ["C-1", "C-9"]


def test_A_2_a_seat_above_the_cap_is_approved_and_who_waited_longest_gets_it(sales: Terminal, write: Write) -> None:
    sales.do(
        "contract",
        "create",
        "acme",
        "--number",
        "C-2",
        "--seats",
        "professional=0",
        "--overage",
        "professional=approve:1",
    )
    sales.do("contract", "set-seats", "acme", "--number", "C-1", "professional=0")
    sales.do("rule", "create", "acme", "--group", "Sales", "--type", "professional")
    found = previewed(sales, "contract", "approve-overage", "acme", "--type", "professional")
    assert users(found["moving"]) == ["alice"]
    assert "[no_approval]" in sales.refused("contract", "approve-overage", "acme", "--type", "professional")


def test_E_7_a_rule_with_all_its_terms(sales: Terminal) -> None:
    terms = (
        "--priority",
        "5",
        "--quota",
        "1",
        "--filter",
        'userName ne "carol"',
        "--exclude",
        "alice",
        "--exit-grace",
        "2h",
    )
    command = ("rule", "create", "acme", "--everyone", "--type", "professional", *terms, "--valid-to", LATER)
    found = previewed(sales, *command)
    assert [(one["user"], one["from"]) for one in found["moving"]] == [("bob", "basic")]
    rule = next(one for one in sales.do("rule", "list", "acme", "--json").json if one["everyone"])
    expected = {"group": None, "priority": 5, "quota": 1, "exclude": ["alice"], "exit_grace": "2h", "valid_to": LATER}
    assert {name: rule[name] for name in expected} == expected


def test_A_9_a_rule_of_two_types_that_come_together(acme: Terminal, write: Write) -> None:
    acme.do("license-type", "create", "acme", "tool", "--name", "Tool", "--free")
    write(group("Sales", *[write(person(name)) for name in ("alice", "bob")]))
    found = previewed(
        acme, "rule", "create", "acme", "--group", "Sales", "--type", "basic", "--type", "tool", "--atomic"
    )
    assert [(one["user"], one["type"]) for one in found["gaining"]] == [("alice", "basic"), ("alice", "tool")]
    assert {one["atomic"] for one in acme.do("rule", "list", "acme", "--json").json} == {True}


def test_E_25_a_rule_that_is_switched_to_another_type_is_previewed(sales: Terminal) -> None:
    sales.do("contract", "set-seats", "acme", "--number", "C-1", "professional=1")
    rule = ("rule", "update", "acme", "--group", "Sales", "--type", "basic", "--to-type", "professional")
    found = previewed(sales, *rule, "--migration-grace", "5d")
    assert users(found["moving"]) == ["alice"]
    assert [(one["user"], one["reason"], one["until"]) for one in found["losing"]] == [
        (name, "migrating", "2027-03-06T08:00:00Z") for name in ("bob", "carol")
    ]
    assert [(one["user"], one["position"]) for one in found["waiting"]] == [("bob", 1), ("carol", 2)]


def test_E_8_a_rule_is_disabled_and_enabled_excludes_and_includes(sales: Terminal) -> None:
    rule = ("rule", "update", "acme", "--group", "Sales", "--type", "basic")
    assert users(previewed(sales, *rule, "--disable")["losing"]) == ["alice", "bob", "carol"]
    assert users(previewed(sales, *rule, "--enable")["gaining"]) == ["alice", "bob", "carol"]
    assert users(previewed(sales, *rule, "--exclude", "bob")["losing"]) == ["bob"]
    assert users(previewed(sales, *rule, "--include", "bob")["gaining"]) == ["bob"]
    assert users(previewed(sales, *rule, "--valid-to", NOW)["losing"]) == ["alice", "bob", "carol"]
    assert users(previewed(sales, *rule, "--unset", "valid-to")["gaining"]) == ["alice", "bob", "carol"]


def test_D_7_a_rule_for_everyone_is_deleted_by_that_word(sales: Terminal) -> None:
    sales.do("rule", "create", "acme", "--everyone", "--type", "professional")
    assert "everyone" in sales.do("rule", "delete", "acme", "--everyone", "--type", "professional").out
    assert [one["group"] for one in sales.do("rule", "list", "acme", "--json").json] == ["Sales"]
    assert "--everyone" in sales.refused("rule", "create", "acme", "--type", "professional")
    assert "--everyone" in sales.refused(
        "rule", "create", "acme", "--group", "Sales", "--everyone", "--type", "professional"
    )


def test_D_1_a_tenant_is_made_and_changed_with_its_settings(acme: Terminal) -> None:
    said = ("--name", "Beta", "--plan", "essential", "--verified-domain", "beta.example", "--set", "overcap_grace=10d")
    made = acme.do("tenant", "create", "beta", *said, "--json").json
    assert (made["plan"], made["settings"]["overcap_grace"]) == ("essential", "10d")
    more = ("--name", "Beta Inc.", "--exit-grace", "3h", "--plan", "enterprise", "--set", "mass_change=off")
    changed = acme.do("tenant", "update", "beta", *more, "--json").json
    assert (changed["name"], changed["exit_grace"], changed["plan"]) == ("Beta Inc.", "3h", "enterprise")
    assert (changed["settings"]["mass_change"], changed["settings"]["verified_domains"]) == ("off", ["beta.example"])
    assert "Say what" in acme.refused("tenant", "update", "beta")


def test_seats_verify_says_that_all_is_well_and_leaves_with_one_where_it_is_not(sales: Terminal, write: Write) -> None:
    assert "as they should be" in sales.do("seats", "verify", "acme").out
    write(lambda work: assignments.count(work, 1, 5, None))
    said = sales.run("seats", "verify", "acme", "--json")
    assert said.status == 1
    assert said.json["findings"][0] == "basic: the ledger says 8 seats, 3 are used."
    assert sales.run("seats", "verify", "acme").status == 1
    assert sales.do("seats", "list", "acme", "--json").json == sales.do("seats", "--json", "acme").json


CONTRACT, RULE, TYPE = (
    ("contract", "create", "acme", "--number", "C-2"),
    ("--group", "Sales", "--type"),
    ("--name", "X"),
)
WRONG = [
    ("unknown_license", "contract", "set-seats", "acme", "--number", "C-1", "nothing=3"),
    ("unknown_license", *CONTRACT, "--seats", "nothing=3"),
    ("unknown_license", *CONTRACT, "--seats", "basic=3", "--overage", "nothing=block"),
    ("bad_overage", *CONTRACT, "--seats", "basic=3", "--overage", "basic=sometimes"),
    ("bad_overage", "contract", "add-line", "acme", "--number", "C-1", "--seats", "basic=3", "--overage", "percent:"),
    ("bad_reserve", *CONTRACT, "--seats", "basic=3", "--reserve", "basic=4"),
    ("bad_period", *CONTRACT, "--seats", "basic=3", "--starts", LATER, "--ends", NOW),
    ("taken", "contract", "create", "acme", "--number", "C-1", "--seats", "basic=3"),
    ("unknown_contract", "contract", "show", "acme", "--number", "C-7"),
    ("unknown_contract", "contract", "renew", "acme", "--number", "C-7", "--as", "C-8"),
    ("below_use", "contract", "set-seats", "acme", "--number", "C-1", "basic=2"),
    ("no_approval", "contract", "approve-overage", "acme", "--type", "basic"),
    ("unknown_license", "rule", "create", "acme", *RULE, "nothing"),
    ("taken", "rule", "create", "acme", *RULE, "basic"),
    ("bad_filter", "rule", "create", "acme", *RULE, "professional", "--filter", "userName like x"),
    ("bad_priority", "rule", "create", "acme", *RULE, "professional", "--priority", "0"),
    ("small_bundle", "rule", "create", "acme", *RULE, "professional", "--atomic"),
    ("type_twice", "rule", "create", "acme", *RULE, "professional", "--type", "professional"),
    ("unknown_person", "rule", "create", "acme", *RULE, "professional", "--exclude", "nobody"),
    ("bad_period", "rule", "create", "acme", *RULE, "professional", "--valid-from", LATER, "--valid-to", NOW),
    ("unknown_rule", "rule", "update", "acme", "--group", "Ops", "--type", "basic", "--priority", "3"),
    ("unknown_rule", "rule", "delete", "acme", "--everyone", "--type", "basic"),
    ("not_orphaned", "rule", "relink", "acme", *RULE, "basic"),
    ("unknown_license", "rule", "update", "acme", *RULE, "basic", "--to-type", "nothing"),
    ("bad_code", "license-type", "create", "acme", "a b", *TYPE),
    ("taken", "license-type", "create", "acme", "basic", *TYPE),
    ("unknown_license", "license-type", "update", "acme", "nothing", *TYPE),
    ("unknown_license", "license-type", "retire", "acme", "nothing"),
    ("unknown_license", "license-type", "create", "acme", "tool", *TYPE, "--requires", "nothing"),
    ("same_family", "license-type", "update", "acme", "basic", "--requires", "professional"),
    ("contradiction", "license-type", "create", "acme", "tool", *TYPE, "--requires", "basic", "--excludes", "basic"),
    ("bad_rank", "license-type", "create", "acme", "tool", *TYPE, "--rank", "2000000"),
    ("unknown_setting", "tenant", "update", "acme", "--set", "colour=red"),
    ("bad_setting", "tenant", "update", "acme", "--set", "overcap_grace=soon"),
    ("bad_setting", "tenant", "update", "acme", "--verified-domain", "no domain"),
    ("unknown_tenant", "seats", "nowhere"),
    ("unknown_tenant", "seats", "verify", "nowhere"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda one: " ".join(one))
def test_a_wrong_request_is_refused_with_a_code_and_a_sentence_and_changes_nothing(
    sales: Terminal, wrong: tuple[str, ...]
) -> None:
    sentence = refused(sales, *wrong)
    assert len(sentence) > 30


def test_A_9_a_circle_of_prerequisites_is_refused_with_the_types_in_it(acme: Terminal) -> None:
    acme.do("license-type", "create", "acme", "one", *TYPE, "--requires", "basic")
    acme.do("license-type", "create", "acme", "two", *TYPE, "--requires", "one")
    sentence = refused(acme, "circle", "license-type", "update", "acme", "basic", "--requires", "two")
    assert "one" in sentence
    assert "two" in sentence


def test_a_full_cap_by_hand_is_refused_with_the_numbers(sales: Terminal, write: Write) -> None:
    write(person("dave"))
    sentence = refused(sales, "seat_limit_reached", "assign", "acme", "--user", "dave", "--type", "basic")
    assert "3 of 3" in sentence


def test_what_is_given_twice_or_given_and_taken_away_is_refused(acme: Terminal) -> None:
    twice = ("--overage", "basic=block", "--overage", "basic=true_up")
    assert "twice" in acme.refused(*CONTRACT, "--seats", "basic=3", *twice)
    both = ("--family", "x", "--unset", "family")
    assert "both" in acme.refused("license-type", "update", "acme", "basic", *both)
    assert "whole days" in acme.refused("license-type", "update", "acme", "basic", "--reclaim", "12h")
    assert "JSON object" in acme.refused("license-type", "update", "acme", "basic", "--rights", "[1]")
    assert "--verified-domain" not in acme.refused("tenant", "update", "acme", "--set", "x")
