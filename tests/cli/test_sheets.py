"""`import`, `export`, `reclaim report`."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scim_service.licensing import catalog, verify
from scim_service.licensing.catalog import Options
from scim_service.storage import tables
from scim_service.storage.work import Work
from tests.cli.conftest import Terminal, Write, group, person

HEAD = "email,given_name,family_name,license_type,action,notify,expires_at\r\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Five rows: two for two seats, one for a person that is there, one too many, one that is none."""
    path = tmp_path / "people.csv"
    path.write_text(
        HEAD
        + "ann@example.com,Ann,Lind,basic,add,no,\r\n"
        + "ben@example.com,Ben,Mori,professional,,,2027-04-01T08:00:00Z\r\n"
        + "carol@example.com,Carol,Oe,,add,,\r\n"
        + "dan@example.com,Dan,Holm,basic,add,,\r\n"
        + "nobody,,,basic,add,,\r\n",
        newline="",
    )
    return path


def check(work: Work) -> None:
    assert verify.findings(work) == []


def results(rows: Any) -> list[tuple[int, str, str | None]]:
    return [(one["row"], one["result"], one["state"]) for one in rows]


EXPECTED = [
    (2, "done", "assigned"),
    (3, "done", "assigned"),
    (4, "done", "made"),
    (5, "refused", None),
    (6, "refused", None),
]


def test_E_28_a_dry_run_says_what_every_row_comes_to_and_changes_nothing(acme: Terminal, file: Path) -> None:
    said = acme.run("import", "acme", str(file), "--dry-run", "--json")
    rows = said.json["rows"]
    assert (said.status, results(rows)) == (3, EXPECTED)
    assert "1 of 1" in rows[3]["detail"] and "address" in rows[4]["detail"]
    assert acme.do("people", "acme", "--json").json == []
    told = acme.run("import", "acme", str(file), "--dry-run")
    assert told.status == 3 and "nothing was changed: 3 done, 0 again, 2 refused" in told.err


def test_A_12_a_dry_run_of_an_import_has_the_preview_of_the_seats_beside_its_rows(acme: Terminal, file: Path) -> None:
    said = acme.run("import", "acme", str(file), "--dry-run", "--json").json
    assert [(one["user"], one["type"]) for one in said["gaining"]] == [
        ("ann@example.com", "basic"),
        ("ben@example.com", "professional"),
    ]
    told = acme.run("import", "acme", str(file), "--dry-run").out
    assert "  ann@example.com: basic, none -> assigned" in told and f"--version {said['version']}" in told
    assert told.index("carol@example.com") < told.index("Preview")


def test_A_12_an_import_by_its_version_is_all_of_the_file_at_once_or_nothing(
    acme: Terminal, write: Write, file: Path
) -> None:
    version = acme.run("import", "acme", str(file), "--dry-run", "--json").json["version"]
    write(person("bob"))
    acme.do("assign", "acme", "--user", "bob", "--type", "basic")
    stale = acme.run("import", "acme", str(file), "--version", version)
    assert stale.status == 2 and "[stale_preview]" in stale.err and "ben@example.com: professional" in stale.out
    assert "userName" in acme.refused("explain", "acme", "--user", "ben@example.com")
    acme.do("unassign", "acme", "--user", "bob", "--type", "basic")
    said = acme.run("import", "acme", str(file), "--version", version, "--json")
    assert (said.status, results(said.json)) == (3, EXPECTED)
    assert results(acme.run("import", "acme", str(file), "--json").json)[0] == (2, "again", "assigned")
    write(check)


def test_E_28_each_row_is_carried_out_alone_and_the_same_file_again_changes_nothing_more(
    acme: Terminal, write: Write, file: Path
) -> None:
    said = acme.run("import", "acme", str(file), "--json")
    assert (said.status, results(said.json)) == (3, EXPECTED)
    held = acme.do("people", "acme", "--json").json
    assert {one["user"]: one["state"] for one in held} == {"ann@example.com": "assigned", "ben@example.com": "assigned"}
    acme.do("unassign", "acme", "--user", "ann@example.com", "--type", "basic")
    again = acme.run("import", "acme", str(file), "--json")
    assert results(again.json) == [
        (2, "again", "assigned"),
        (3, "again", "assigned"),
        (4, "again", "made"),
        (5, "done", "assigned"),
        (6, "refused", None),
    ]
    assert {one["user"] for one in acme.do("people", "acme", "--json").json} == {"ben@example.com", "dan@example.com"}
    write(check)


def test_E_28_a_row_that_is_refused_makes_nobody(acme: Terminal, file: Path) -> None:
    acme.run("import", "acme", str(file))
    assert "userName" in acme.refused("explain", "acme", "--user", "dan@example.com")
    assert acme.do("explain", "acme", "--user", "ben@example.com", "--type", "professional", "--json").json[0][
        "until"
    ] in (
        None,
        "2027-04-01T08:00:00Z",
    )


def test_E_28_a_dry_run_goes_on_after_a_row_that_was_half_done(acme: Terminal, write: Write, file: Path) -> None:
    write(lambda work: catalog.create_type(work, "base", "Base", counted=False))
    write(lambda work: catalog.create_type(work, "extra", "Extra", counted=False, options=Options(requires=("base",))))
    file.write_text(
        "email,license_type\nann@example.com,basic\nann@example.com,extra\nann@example.com,base\n"
        "ben@example.com,basic\nann@example.com,extra\n"
    )
    expected = [
        (2, "done", "assigned"),
        (3, "refused", None),
        (4, "done", "assigned"),
        (5, "refused", None),
        (6, "done", "assigned"),
    ]
    assert results(acme.run("import", "acme", str(file), "--dry-run", "--json").json["rows"]) == expected
    assert results(acme.run("import", "acme", str(file), "--json").json) == expected
    write(check)


def test_E_28_a_license_is_taken_back_and_an_inherited_one_is_refused(acme: Terminal, write: Write, file: Path) -> None:
    acme.run("import", "acme", str(file))
    acme.do("rule", "create", "acme", "--group", "Sales", "--type", "basic")
    write(group("Sales", write(person("eva@example.com"))))
    file.write_text("email,license_type,action\nben@example.com,professional,remove\neva@example.com,basic,remove\n")
    said = acme.run("import", "acme", str(file), "--json")
    assert results(said.json) == [(2, "done", "released"), (3, "refused", None)]
    assert "Sales" in said.json[1]["detail"]
    write(check)


def test_E_28_a_file_of_done_rows_ends_with_success(acme: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("email\nann@example.com\n")
    assert "1 done, 0 again, 0 refused" in acme.do("import", "acme", str(path)).err
    assert "no column" in acme.refused("import", "acme", str(_file(tmp_path, "mail\nx\n")))


def _file(folder: Path, text: str) -> Path:
    path = folder / "other.csv"
    path.write_text(text)
    return path


def test_E_28_an_export_quotes_what_a_spreadsheet_would_calculate(acme: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(HEAD + "ann@example.com,=1+1,-Lind,basic,add,,\r\n", newline="")
    acme.do("import", "acme", str(path))
    said = acme.do("export", "acme", "--type", "basic", "--state", "assigned")
    [row] = csv.DictReader(io.StringIO(said.out))
    assert (row["given_name"], row["family_name"]) == ("'=1+1", "'-Lind")
    assert (row["email"], row["license_type"], row["state"], row["source"]) == (
        "ann@example.com", "basic", "assigned", "direct"
    )  # fmt: skip
    assert acme.do("export", "acme", "--json").json[0]["given_name"] == "=1+1"
    assert acme.do("export", "acme", "--state", "waiting").out.splitlines()[1:] == []


def test_E_29_idle_people_are_reported_by_the_days_of_their_type_with_what_gives_the_seat(
    acme: Terminal, write: Write
) -> None:
    acme.do("contract", "set-seats", "acme", "--number", "C-1", "basic=4")
    acme.do("rule", "create", "acme", "--group", "Sales", "--type", "basic")
    ids = [write(person(name)) for name in ("alice", "bob", "carol")]
    write(group("Sales", *ids[:2]))
    acme.do("assign", "acme", "--user", "carol", "--type", "basic")
    write(active(3, datetime(2027, 3, 20, 8, tzinfo=UTC)))
    write(active(1, datetime(2027, 2, 1, 8, tzinfo=UTC)))
    later = {"SCIM_CLOCK": "2027-04-10T08:00:00Z"}
    assert acme.do("reclaim", "report", "acme", "--json", **later).json == []
    write(lambda work: catalog.update_type(work, "basic", reclaim=30))
    told = acme.do("reclaim", "report", "acme", "--json", **later).json
    assert [(one["user"], one["days"], one["used"], one["direct"], one["groups"]) for one in told] == [
        ("alice", 40, True, False, ["Sales"]),
        ("bob", 40, False, False, ["Sales"]),
    ]
    told = acme.do("reclaim", "report", "acme", "--idle", "21d", "--json", **later).json
    assert [(one["user"], one["since"], one["direct"]) for one in told][-1] == ("carol", "2027-03-20T08:00:00Z", True)
    assert "Nobody" in acme.do("reclaim", "report", "acme", "--idle", "90d", **later).out
    assert "fax" in acme.refused("reclaim", "report", "acme", "--type", "fax")
    later = {"SCIM_CLOCK": "2027-04-11T08:00:00Z"}
    seen = acme.do("person", "active", "acme", "--user", "bob", "--at", "2027-04-01T08:00:00Z", "--json", **later).json
    assert seen == {"user": "bob", "last_active_at": "2027-04-01T08:00:00Z"}
    earlier = ("person", "active", "acme", "--user", "bob", "--at", "2027-03-05T08:00:00Z")
    assert acme.do(*earlier, **later).lines == ["bob was active last at 2027-04-01T08:00:00Z."]
    told = acme.do("reclaim", "report", "acme", "--json", **later).json
    assert [one["user"] for one in told] == ["alice"]
    assert "future" in acme.refused(
        "person", "active", "acme", "--user", "bob", "--at", "2028-01-01T00:00:00Z", **later
    )
    assert len(acme.do("people", "acme", "--json", **later).json) == 3
    write(check)


def active(user_seq: int, at: datetime) -> Any:
    """The product told when a person was last active."""
    row = {"user_seq": user_seq, "last_active_at": at}
    return lambda work: work.insert(tables.directory.accounts, [row])
