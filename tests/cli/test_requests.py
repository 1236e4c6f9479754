"""`request create|approve|deny|list`."""

from __future__ import annotations

import pytest

from scim_service.licensing import catalog
from tests.cli.conftest import Terminal, Write, person


@pytest.fixture
def asking(acme: Terminal, write: Write) -> Terminal:
    """One seat of `basic`, which can be asked for; Alice and Bob."""
    write(lambda work: catalog.update_type(work, "basic", requestable=True))
    write(person("alice"))
    write(person("bob"))
    return acme


def test_E_22_a_request_is_granted_approved_and_denied(asking: Terminal) -> None:
    alice, bob = (("acme", "--user", name, "--type", "basic") for name in ("alice", "bob"))
    assert asking.do("request", "create", *alice, "--reason", "Work", "--json").json["license"] == "assigned"
    assert "is open" in asking.do("request", "create", *bob, "--reason", "Work too").out
    told = asking.do("request", "deny", *bob, "--reason", "Not now", "--json").json
    assert (told["state"], told["decision"], told["not_before"]) == ("denied", "Not now", "2027-03-08T08:00:00Z")
    assert "2027-03-08" in asking.refused("request", "create", *bob, "--reason", "Please")
    assert [one["state"] for one in asking.do("request", "list", "acme", "--json").json] == ["approved", "denied"]
    assert "No request" in asking.do("request", "list", "acme", "--state", "open").out


def test_A_12_a_request_is_made_and_approved_by_the_version_of_its_preview(asking: Terminal) -> None:
    alice, bob = (("acme", "--user", name, "--type", "basic") for name in ("alice", "bob"))
    would = asking.do("request", "create", *alice, "--reason", "Work", "--dry-run", "--json").json
    assert ([one["user"] for one in would["gaining"]], would["request"]["state"]) == (["alice"], "approved")
    assert "No request" in asking.do("request", "list", "acme").out
    asking.do("request", "create", *alice, "--reason", "Work", "--version", would["version"])
    assert "would be open" in asking.do("request", "create", *bob, "--reason", "Work", "--dry-run").out
    asking.do("request", "create", *bob, "--reason", "Work")
    would = asking.do("request", "approve", *bob, "--dry-run", "--json").json
    assert [(one["user"], one["position"]) for one in would["waiting"]] == [("bob", 1)]
    asking.do("unassign", "acme", "--user", "alice", "--type", "basic")
    stale = asking.run("request", "approve", *bob, "--version", would["version"])
    assert stale.status == 2 and "[stale_preview]" in stale.err and "bob: basic, none -> assigned" in stale.out
    assert len(asking.do("request", "list", "acme", "--state", "open", "--json").json) == 1
    would = asking.do("request", "approve", *bob, "--dry-run", "--json").json
    told = asking.do("request", "approve", *bob, "--version", would["version"], "--json").json
    assert (told["state"], told["license"]) == ("approved", "assigned")


def test_E_22_an_approved_person_waits_for_a_seat(asking: Terminal) -> None:
    alice, bob = (("acme", "--user", name, "--type", "basic") for name in ("alice", "bob"))
    asking.do("request", "create", *alice, "--reason", "Work")
    asking.do("request", "create", *bob, "--reason", "Work")
    assert "the license is waiting" in asking.do("request", "approve", *bob).out
    assert "no open request" in asking.refused("request", "approve", *bob)
