"""The strings on which the filter parser's library is known to go wrong, by their number in libraries.md part 1.

Each is said with attributes of a User here. P: precedence, L: lexer, G: grammar, T: what became of the tree.
"""

from __future__ import annotations

from typing import Any

import pytest

from scim_service.errors import InvalidFilter
from scim_service.protocol import filters, paths, schema

E, L = schema.ENTERPRISE_URN, schema.LICENSE_URN
PLACE = f"{L}:licenses.queuePosition"

ANN: dict[str, Any] = {
    "id": "1",
    "userName": "Ann",
    "title": "50%_x",
    "nickName": "5",
    "displayName": "null",
    "userType": "True",
    "active": True,
    "name": {"familyName": "Ames"},
    "emails": [{"value": "w", "type": "work", "primary": True}, {"value": "h", "type": "home"}],
    "meta": {"created": "2026-11-24T13:29:54.123Z"},
    E: {"department": "Sales"},
    L: {"licenses": [{"value": "pro", "state": "waiting", "queuePosition": 12}]},
}

MEANT: dict[str, tuple[str, bool]] = {
    "P1": ('title eq "50%_x" or title eq "2" and title eq "3"', True),
    "P2": ("nickName pr and locale pr and title pr or active pr and userName pr", True),
    "P3": ("not (title pr) or title pr and locale pr", False),
    "P4": ('emails[type eq "work" or type eq "home" and value eq "x"]', True),
    "L1": (f"{PLACE} eq 12", True),
    "L2 integer": (f"{PLACE} gt -1", True),
    "L2 decimal": (f"{PLACE} gt 1.5", True),
    "L2 negative decimal": (f"{PLACE} lt -3.25", False),
    "L2 exponent": (f"{PLACE} lt 1e3", True),
    "L3 quote inside": ('userName eq "a\\"b"', False),
    "L3 quote alone": ('userName eq "\\""', False),
    "L4 backslash": (r'userName eq "a\\b"', False),
    "L4 escape": (r'userName eq "\u0041nn"', True),
    "L4 escapes": (r'userName ne "\u00e9t\u00e9"', True),
    "L4 slash": (r'userName eq "a\/b"', False),
    "L4 tab": (r'userName eq "tab\there"', False),
    "L4 line feed": (r'userName eq "nl\n"', False),
    "L4 pair": (r'userName eq "\ud83d\ude00"', False),
    "L6 boolean": ("active eq true", True),
    "L6 text of a boolean": ('userType eq "true"', True),
    "L6 text of a number": ('nickName eq "5"', True),
    "L6 null": ("displayName eq null", False),
    "L6 text of null": ('displayName eq "null"', True),
    "L8 capital": ("active eq True", True),
    "L8 capitals": ("active eq FALSE", False),
    "L10 no blank before a quote": ('userName eq"ann"', True),
    "L10 no blank before a bracket": ("title pr and(id pr)", True),
    "L10 no blank after a bracket": ("(title pr)and(id pr)", True),
    "L10 tabs": ('userName\teq\t"ann"', True),
    "G4": ('emails[type eq "work"].value eq "w"', True),
    "G4 not of another element": ('emails[type eq "home"].value eq "w"', False),
    "G5": (f"{E} pr", True),
    "T1 another case": ('USERNAME eq "x"', False),
    "T1 whole name": (f'{schema.USER_URN}:userName eq "x"', False),
    "T3": ("active eq true", True),
    "T4 eq": ("locale eq null", True),
    "T4 ne": ("locale ne null", False),
    "T5 as it is": ('title co "50%_x"', True),
    "T5 no wildcards": ('title co "5%x"', False),
    "T5 no single wildcard": ('title co "50_"', False),
    "T7": (" or ".join(f'userName eq "{number}"' for number in range(27)), False),
    "T8": ('emails[type eq "work"] and emails[type eq "home"]', True),
    "T9 any value": ('emails ne "w"', True),
    "T9 not": ('not (emails[type eq "work"])', False),
    "T13": ('meta.created lt "2026-11-24T14:29:54.124+01:00"', True),
}

REFUSED: dict[str, str] = {
    "L5 unknown escape": r'userName eq "bad\q"',
    "L5 short escape": r'userName eq "bad\u12"',
    "L5 raw tab": 'userName eq "a\tb"',
    "L5 raw line feed": 'userName eq "a\nb"',
    "L5 raw NUL": 'userName eq "a\0b"',
    "L6 number for a text": "nickName eq 5",
    "L9": '$ eq "x"',
    "L11": f"{PLACE} eq 1and {PLACE} eq 2",
    "L12 before a dot": 'name .familyName eq "x"',
    "L12 after a URN": "urn:x:y: title pr",
    "L12 after brackets": 'emails[type eq "w"] .value eq "x"',
    "G1": 'emails[phoneNumbers[type eq "x"]]',
    "G2": 'emails[type eq "work"][value eq "x"]',
    "G3": 'emails[type eq "work"] eq "x"',
    "G6": 'a:b eq "x"',
    "G6 URL": 'http://x/y:z eq "q"',
    "T1": 'bogus eq "x"',
    "T1 not": 'not (bogus eq "x")',
    "T2 or": 'userName eq "x" or bogus eq "y"',
    "T2 and": 'userName eq "x" and bogus eq "y"',
    "T6 number": "title co 5",
    "T6 null": "userName co null",
    "T6 boolean": "active gt true",
    "T10": "emails[bogus pr]",
    "T10 pr": "emails[bogus pr] pr",
    "T11 groups": "(" * 1000 + "title pr" + ")" * 1000,
    "T11 terms": " or ".join(["id pr"] * 900),
}


@pytest.mark.parametrize("number", MEANT)
def test_a_filter_means_what_it_says(number: str) -> None:
    text, expected = MEANT[number]
    assert filters.match(filters.parse(text, schema.USER), ANN) is expected


@pytest.mark.parametrize("number", REFUSED)
def test_a_filter_that_means_nothing_is_refused(number: str) -> None:
    with pytest.raises(InvalidFilter):
        filters.parse(REFUSED[number], schema.USER)


@pytest.mark.parametrize(
    "name", ["trueName", "falsePositive", "nullable", "nullField", "notes", "order", "andy", "prx"]
)
def test_a_name_that_begins_like_a_keyword_is_a_name(name: str) -> None:
    """L7: no User has these, which is what the refusal must say; they are not misread."""
    for text in (f'{name} eq "x"', f"{name} pr", f'title pr and {name} eq "x"'):
        with pytest.raises(InvalidFilter, match=f"no attribute '{name}'"):
            filters.parse(text, schema.USER)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("members", schema.GROUP),
        ("name.familyName", schema.USER),
        ('emails[type eq "work"].value', schema.USER),
        ('members[value eq "2819"].display', schema.GROUP),
    ],
)
def test_the_paths_that_the_library_could_not_read_are_read(text: str, kind: schema.ResourceType) -> None:
    """T12."""
    found = paths.parse(kind, text)
    assert found.target.key.startswith(text.partition("[")[0])
    assert (found.filter is not None) is ("[" in text)


def test_every_number_of_the_paper_is_here() -> None:
    numbers = {key.split()[0] for key in (*MEANT, *REFUSED)} | {"L7", "T12"}
    wanted = [f"P{n}" for n in range(1, 5)] + [f"L{n}" for n in range(1, 13)]
    wanted += [f"G{n}" for n in range(1, 7)] + [f"T{n}" for n in range(1, 14)]
    assert sorted(numbers) == sorted(wanted)
