"""The tables, made from the result file alone: the block in the README and the whole of docs/benchmarks.md.

`results.json` holds a part for each run (`standard`, `disk`, `large`, `seats`), written by its command.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import machine

RESULTS = machine.ROOT / "benchmarks" / "results.json"
README = machine.ROOT / "README.md"
PAPER = machine.ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- benchmarks: made by `make bench` -->", "<!-- end of benchmarks -->"
COMMANDS = {"standard": "make bench", "disk": "make bench", "large": "make bench-large", "seats": "make bench-seats"}

Result = Mapping[str, Any]


def store(part: str, found: Result, place: Path = RESULTS) -> None:
    """Put one part in the place of what the result file had of it."""
    everything = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    everything[part] = found
    place.write_text(json.dumps(everything, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def publish() -> None:
    """Write the block in the README and the paper anew."""
    everything = json.loads(RESULTS.read_text(encoding="utf-8"))
    README.write_text(with_block(README.read_text(encoding="utf-8"), everything), encoding="utf-8")
    PAPER.write_text(paper(everything), encoding="utf-8")


def with_block(text: str, everything: Result) -> str:
    """The README with the block that belongs to these results. Raises ValueError where it has no place for it."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The README needs the lines {BEGIN} and {END}.")
    return f"{before}{begin}\n\n{block(everything)}\n{end}{after}"


def block(everything: Result) -> str:
    """The README's table: a row per target, with all its figures."""
    lines = ["| Target | What, and the ratio that was aimed at | Found |", "|---|---|---|"]
    for part in COMMANDS:
        for row in everything.get(part, {}).get("rows", ()):
            figures = "; ".join(f"{one['label']} {figure(one)} ({bound(one)})" for one in row["parts"])
            lines.append(f"| {row['id']}{WHERE[part]} | {row['sentence']} | {figures} |")
    return "\n".join([*lines, "", *[_how(part, everything[part]) for part in COMMANDS if part in everything]]) + "\n"


def paper(everything: Result) -> str:
    """The whole paper."""
    parts = [INTRODUCTION, *[_section(part, everything[part]) for part in COMMANDS if part in everything]]
    return "\n".join(parts)


def figure(part: Result) -> str:
    """A ratio as it is read, marked where it misses its bound."""
    if part["value"] is None:
        return f"not measured, {part['why']}"
    text = plain(part["value"])
    return text if part["met"] else f"**{text}**"


def bound(part: Result) -> str:
    """What was aimed at."""
    return f"{'at most' if part['at_most'] else 'at least'} {plain(part['bound'])}"


def plain(value: float) -> str:
    """Two digits after the point for small numbers, none for large."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _section(part: str, found: Result) -> str:
    lines = [TITLES[part], "", _how(part, found), "", *_rigs(found), "", *_verdicts(found), "", *_figures(found)]
    return "\n".join([*lines, *_notes(found), ""])


def _how(part: str, found: Result) -> str:
    seen, load = found["machine"], found["load"]
    return (
        f"`{COMMANDS[part]}` on {found['date']}: {found['people']} people, medians of {found['rounds']} rounds in "
        f"turns; {seen['cores']} cores, Python {seen['python']}, load {load['before']} before and {load['after']} "
        f"after; a flush where the databases are takes {found['flush_ms']} ms. "
        f"SQLite `synchronous=FULL`; PostgreSQL {_postgresql(found)}. A figure in bold misses its bound."
    )


def _postgresql(found: Result) -> str:
    said = found.get("postgresql") or {}
    if not said:
        return "was not there"
    return f"{said['server_version']}, `fsync={said['fsync']}`, `synchronous_commit={said['synchronous_commit']}`"


def _rigs(found: Result) -> Iterator[str]:
    yield "| Rig | What | Server, processes x threads | Command |"
    yield "|---|---|---|---|"
    for one in found["rigs"]:
        yield f"| {one['name']} | {one['what']} | {one['served']} | `{one['command']}` |"


def _verdicts(found: Result) -> Iterator[str]:
    yield "| Target | Figure | Found | Aim |"
    yield "|---|---|---|---|"
    for row in found["rows"]:
        yield f"| **{row['id']}** | **{row['sentence']}** | | |"
        for one in row["parts"]:
            yield f"| | {one['label']} | {figure(one)} | {bound(one)} |"


def _figures(found: Result) -> Iterator[str]:
    """Milliseconds and rates by operation and rig: to be compared within a row, not with another day's."""
    names = [one["name"] for one in found["rigs"]]
    seen: dict[str, dict[str, dict[int, Result]]] = {}
    for one in found["figures"]:
        seen.setdefault(one["operation"], {}).setdefault(one["rig"], {})[one["connections"]] = one
    yield "Median milliseconds on one connection; answers per second on eight (processor milliseconds of each):"
    yield ""
    yield f"| Operation | {' | '.join(names)} |"
    yield "|---|" + "---|" * len(names)
    for operation, by_rig in seen.items():
        if not operation.startswith("("):
            yield f"| {operation} | {' | '.join(_cell(by_rig.get(name, {})) for name in names)} |"


def _cell(by_connections: Mapping[int, Result]) -> str:
    parts = []
    if 1 in by_connections:
        parts.append(f"{plain(by_connections[1]['p50_ms'])} ms")
    for one in [one for number, one in by_connections.items() if number > 1]:
        parts.append(f"{plain(one['per_second'])}/s ({plain(one['processor_ms'])})")
    return ", ".join(parts)


def _notes(found: Result) -> Iterator[str]:
    if found["notes"]:
        yield ""
        yield from (f"* {note}" for note in found["notes"])


WHERE = {"standard": "", "disk": ", on the disk", "large": ", large", "seats": ""}
TITLES = {
    "standard": "## 10,240 people, beside peers",
    "disk": "## The same on the disk, where every commit waits for it",
    "large": "## Growth to 1,000,000 people",
    "seats": "## What licenses cost",
}

INTRODUCTION = """# Benchmarks

Made by `make bench`, `make bench-large` and `make bench-seats`; do not edit, run them again. Every claim is a ratio of
one run: all servers are up at once and are measured in turns, in changing order, so that whatever else the machine does
hits them alike. The milliseconds and rates are of one machine at one hour; compare them within a row only.

Y is the yardstick: a Flask route that answers 1.4 kB and does nothing, under the same server, processes and threads.
The load comes from one process of its own (closed loop, one or eight connections, requests encoded beforehand). Each
answer is first checked to be right; a server that answers wrongly is left out of the row by name. Peers run in an
environment of their own from `requirements/bench.txt`, set up as their documents say and at their fastest: connections
kept open, a constant token, no log. The service writes its request log, checks a hashed token in the database for
each request, and keeps index rows and events in the same commit; the people's mail domain is a verified one, so nobody
is written to. A commit is on the disk before it is acknowledged, on both databases; so that not the disk is measured,
they are kept in memory where the machine has such a place, and the writes are measured once more on the disk.

Rates and latencies of a busy machine blur what a server costs. So the ratios of processor time stand beside them: of
all processes of a server and of its database, for each answer.
"""
