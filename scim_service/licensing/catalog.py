"""What is sold: license types, their families, ranks and ties, and the products they belong to (licensing.md D-3, D-4).

A type is never deleted once it was referenced (C-05); it is retired: who holds it keeps it, nobody new gets it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from scim_service import audit, errors
from scim_service.access import names
from scim_service.licensing import authority, facts, gate, order
from scim_service.storage import closure, tables
from scim_service.storage.work import Work

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
AUTHORITIES = ANY, GROUPS, SCIM, CONSOLE = authority.WORDS

AUTO_IF_SEAT, BY_HAND, ALWAYS = "auto_if_seat", "manual", "auto"
REQUEST_MODES = (AUTO_IF_SEAT, BY_HAND, ALWAYS)
"""What a request comes to (E-22): granted where a seat is free, decided by somebody, or granted at once."""

_types = tables.licensing.license_types
_products = tables.licensing.products
_assignments = tables.licensing.assignments
_claims = tables.licensing.claims
_TENANT: sa.BindParameter[Any] = sa.bindparam("tenant")

_ALL = (
    sa.select(_types, _products.c.code.label("product"))
    .outerjoin(_products, sa.and_(_products.c.tenant_id == _types.c.tenant_id, _products.c.seq == _types.c.product_seq))
    .where(_types.c.tenant_id == _TENANT)
    .order_by(_types.c.family.is_(None), _types.c.family, _types.c.rank.desc(), _types.c.code)
)
_BY_CODE = _ALL.where(_types.c.code == sa.bindparam("code"))
_PRODUCT = sa.select(_products.c.seq).where(_products.c.tenant_id == _TENANT, _products.c.code == sa.bindparam("code"))
_CHANGED = (
    "name",
    "product_seq",
    "family",
    "rank",
    "exit_grace",
    "authority",
    "conflict_policy",
    "settings",
    "retired_at",
)
_CHANGE = (
    sa.update(_types)
    .where(_types.c.tenant_id == _TENANT, _types.c.seq == sa.bindparam("which"))
    .values({_types.c[name]: sa.bindparam(f"new_{name}") for name in _CHANGED})
)
_POLICY = (
    sa.update(_types)
    .where(_types.c.tenant_id == _TENANT, _types.c.family == sa.bindparam("of_family"))
    .values(conflict_policy=sa.bindparam("new_policy"))
)
_POLICY_OF = sa.select(_types.c.conflict_policy).where(
    _types.c.tenant_id == _TENANT, _types.c.family == sa.bindparam("of_family")
)
_CONCERNED = [
    sa.select(table.c.user_seq)
    .where(table.c.tenant_id == _TENANT, table.c.type_seq.in_(sa.bindparam("types", expanding=True)))
    .group_by(table.c.user_seq)
    for table in (_claims, _assignments)
]


@dataclass(frozen=True)
class Options:
    """What else D-4 says of a type; ties name the codes of other types.

    `requires`: one of these must be held. `excludes`: not together with these. `implies`: brings the rights of these.
    `fallback`: who waits for it may hold a lesser one of the family. `grace_yields`: A-6. `reclaim`: days of idleness.
    `reclaim_asks`: who is idle is asked, and loses it without an answer (E-29).
    """

    requires: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    implies: tuple[str, ...] = ()
    fallback: bool = True
    grace_yields: bool = False
    suspend_frees: bool = False
    assignable: bool = True
    requestable: bool = False
    request_mode: str = AUTO_IF_SEAT
    grants_admin: bool = False
    reclaim: int | None = None
    reclaim_asks: bool = False
    rights: Mapping[str, Any] = field(default_factory=dict)
    name_fr: str | None = None

    @classmethod
    def of(cls, stored: str) -> Options:
        """From the JSON in the type's row."""
        found = orjson.loads(stored)
        ties = {name: tuple(found[name]) for name in ("requires", "excludes", "implies") if name in found}
        return cls(**{**found, **ties})

    def stored(self) -> str:
        """As JSON, the defaults left out."""
        plain = asdict(self)
        defaults = asdict(Options())
        return orjson.dumps({name: value for name, value in plain.items() if value != defaults[name]}).decode()


@dataclass(frozen=True)
class LicenseType:
    """Something that a person can hold. Of one `family` a person holds one, the greatest `rank` there is a seat for.

    `counted` is False for a free type, without a cap; `exit_grace` None means the tenant's.
    """

    seq: int
    code: str
    name: str
    product: str | None
    family: str | None
    rank: int
    counted: bool
    exit_grace: timedelta | None
    authority: str = ANY
    conflict_policy: str = facts.HIGHEST_RANK
    retired: bool = False
    options: Options = field(default_factory=Options)

    def called(self, language: str) -> str:
        """The name in a language (`en`, `fr`)."""
        return self.options.name_fr or self.name if language == "fr" else self.name


def create_type(
    work: Work,
    code: str,
    name: str,
    *,
    product: str | None = None,
    family: str | None = None,
    rank: int = 0,
    counted: bool = True,
    exit_grace: timedelta | None = None,
    authority: str = ANY,
    conflict_policy: str | None = None,
    options: Options | None = None,
) -> LicenseType:
    """Make a license type; its product is made when first named. It has no seats until a contract has a line for it.

    Without a `conflict_policy` it takes its family's. Raises InvalidValue for a code, a grace or a tie that cannot be,
    Uniqueness for a taken code.
    """
    if not CODE.fullmatch(code):
        raise errors.InvalidValue(
            "A license type's code is 1 to 64 letters, digits, '.', '_' or '-', such as RECRUITER.", code="bad_code"
        )
    policy_before = _policy_of(work, family)
    policy = conflict_policy or policy_before
    made = LicenseType(
        0, code, name, product, family, rank, counted, exit_grace, authority, policy, False, options or Options()
    )
    _refuse(work, made)
    seq = work.insert_one(_types, code=code, counted=counted, created_at=work.now, **_columns(work, made))
    work.insert(tables.licensing.ledger, [{"type_seq": seq, "consuming": 0, "high_water": 0, "version": 0}])
    _share_policy(work, made)
    gate.reopen(work)
    audit.record(work, "license-type:created", code, **facts_of(made))
    if policy != policy_before:
        resolve_again(work, _touched(work, [made]))
    return replace(made, seq=seq)


def update_type(work: Work, code: str, **changes: Any) -> LicenseType:
    """Change a type's definition (E-24): fields of LicenseType, or of its options; whom it concerns is resolved anew.

    Raises InvalidValue for what cannot be, NotFound for an unknown type.
    """
    old = find_type(work, code)
    optional = {one.name for one in fields(Options)}
    more = {name: value for name, value in changes.items() if name in optional}
    own = {name: value for name, value in changes.items() if name not in optional}
    new = replace(old, **own, options=replace(old.options, **more))
    if new == old:
        return old
    _refuse(work, new)
    starts = new.options.grants_admin and not old.options.grants_admin
    if starts:
        closure.lock_nesting(work)
    gate.enter(work)
    if starts:
        authority.refuse_givers(work, old.seq, old.code)
    work.execute(_CHANGE, which=old.seq, **{f"new_{name}": value for name, value in _columns(work, new).items()})
    _share_policy(work, new)
    audit.record(work, "license-type:changed", code, **facts_of(new))
    resolve_again(work, _touched(work, [old, new]))
    if new.authority != old.authority:
        authority.follow(work, new.seq, new.authority)
    return new


def retire_type(work: Work, code: str) -> LicenseType:
    """Nobody new gets a type from now on; who holds it keeps it (C-05, X-5). Retiring it again changes nothing."""
    return update_type(work, code, retired=True)


def resolve_again(work: Work, type_seqs: Collection[int]) -> None:
    """The definition of these types changed: resolve everybody who has a reason for one, or a row of one."""
    gate.reopen(work)
    entered = gate.enter(work)
    rows = [row.user_seq for one in _CONCERNED for row in work.rows(one, types=sorted(type_seqs))]
    entered.settle(sorted(set(rows)), opened=set(type_seqs))


def find_type(work: Work, code: str) -> LicenseType:
    """The type with this code. Raises NotFound, naming the codes that there are."""
    row = work.row(_BY_CODE, code=code)
    if row is None:
        known = ", ".join(sorted(kind.code for kind in types(work)))
        raise errors.NotFound(
            f"There is no license type {code!r}. " + (f"There are: {known}." if known else "There is none yet."),
            code="unknown_license",
        )
    return _type(row)


def types(work: Work) -> list[LicenseType]:
    """Every type: family by family, the greater rank first, those without a family last."""
    return [_type(row) for row in work.rows(_ALL)]


def seconds_of(duration: timedelta | None) -> int | None:
    """A grace as it is stored, in whole seconds. Raises InvalidValue for a negative or endless one."""
    if duration is None:
        return None
    if not timedelta(0) <= duration <= timedelta(days=3650):
        raise errors.InvalidValue(
            "An exit grace is between 0 and 3650 days. Write it as 0, 90m, 24h or 30d.", code="bad_duration"
        )
    return int(duration.total_seconds())


def duration_of(seconds: int | None) -> timedelta | None:
    """The reverse of `seconds_of`."""
    return None if seconds is None else timedelta(seconds=seconds)


def _refuse(work: Work, made: LicenseType) -> None:
    """Raise InvalidValue where a type cannot be as it is wanted."""
    if not -1_000_000 <= made.rank <= 1_000_000:
        raise errors.InvalidValue(
            "A rank is between -1000000 and 1000000; the greater one is the better type.", code="bad_rank"
        )
    _refuse_names(made)
    words = {"authority": AUTHORITIES, "conflict_policy": facts.POLICIES}
    for name, known in words.items():
        if getattr(made, name) not in known:
            raise errors.InvalidValue(f"{name} is one of: {', '.join(known)}.", code=f"bad_{name}")
    if made.options.request_mode not in REQUEST_MODES:
        raise errors.InvalidValue(f"request_mode is one of: {', '.join(REQUEST_MODES)}.", code="bad_request_mode")
    others = {kind.code: kind for kind in types(work) if kind.code != made.code}
    _refuse_ties(made, others)
    _refuse_circles([made, *others.values()])


def _refuse_names(made: LicenseType) -> None:
    names.check("A license type's name", made.name)
    more = {
        "A license type's French name": made.options.name_fr,
        "A product": made.product,
        "A family": made.family,
    }
    for what, name in more.items():
        if name is not None:
            names.check(what, name)


def _refuse_ties(made: LicenseType, others: Mapping[str, LicenseType]) -> None:
    options = made.options
    for code in dict.fromkeys([*options.requires, *options.excludes, *options.implies]):
        if code not in others:
            raise errors.InvalidValue(
                f"{made.code} names {code!r}, which is no other license type.", code="unknown_license"
            )
        if code not in options.implies and made.family is not None and others[code].family == made.family:
            raise errors.InvalidValue(
                f"{made.code} and {code} are of one family; they are never held together anyway.", code="same_family"
            )
    for giver, given in [(made, others[code]) for code in options.implies] + [
        (other, made) for other in others.values() if made.code in other.options.implies
    ]:
        if given.options.grants_admin and not giver.options.grants_admin:
            raise errors.InvalidValue(f"{giver.code} implies {given.code}, and so has to grant administration as well.")
    both = set(options.requires) & set(options.excludes)
    if both:
        raise errors.InvalidValue(
            f"{made.code} cannot both require and exclude {', '.join(sorted(both))}.", code="contradiction"
        )


def _refuse_circles(kinds: Iterable[LicenseType]) -> None:
    seqs = {kind.code: number for number, kind in enumerate(kinds)}
    apart: dict[str, set[str]] = {}
    for kind in kinds:
        for code in kind.options.excludes:
            apart.setdefault(kind.code, set()).add(code)
            apart.setdefault(code, set()).add(kind.code)
    plain = [
        facts.Type(
            seqs[kind.code],
            kind.code,
            kind.family,
            kind.rank,
            None,
            requires=frozenset(seqs[code] for code in kind.options.requires if code in seqs),
            excludes=frozenset(seqs[code] for code in apart.get(kind.code, ()) if code in seqs),
        )
        for kind in kinds
    ]
    try:
        order.in_order(plain)
    except order.Circle as circle:
        raise errors.InvalidValue(
            f"These types would each have to be decided before the other: {', '.join(circle.codes)}. "
            "Change what they require, or their ranks.",
            code="circle",
        ) from circle


def _columns(work: Work, made: LicenseType) -> dict[str, Any]:
    return {
        "name": made.name,
        "product_seq": _product(work, made.product),
        "family": made.family,
        "rank": made.rank,
        "exit_grace": seconds_of(made.exit_grace),
        "authority": made.authority,
        "conflict_policy": made.conflict_policy,
        "settings": made.options.stored(),
        "retired_at": work.now if made.retired else None,
    }


def facts_of(made: LicenseType) -> dict[str, Any]:
    """A type as the event log keeps it, under its code."""
    plain = {one.name: getattr(made, one.name) for one in fields(made) if one.name not in {"seq", "code", "options"}}
    return {**plain, "exit_grace": seconds_of(made.exit_grace), "options": orjson.loads(made.options.stored())}


def _touched(work: Work, versions: Iterable[LicenseType]) -> set[int]:
    """The types that are decided together with one of these: itself, its families, what it is tied to."""
    codes = {code for one in versions for code in [one.code, *one.options.requires, *one.options.excludes]}
    families = {one.family for one in versions if one.family is not None}
    own = {one.code for one in versions}
    return {
        kind.seq
        for kind in types(work)
        if kind.code in codes or kind.family in families or own & {*kind.options.requires, *kind.options.excludes}
    }


def _policy_of(work: Work, family: str | None) -> str:
    known = work.value(_POLICY_OF, of_family=family) if family is not None else None
    return str(known) if known is not None else facts.HIGHEST_RANK


def _share_policy(work: Work, made: LicenseType) -> None:
    """The policy is the family's (A-7): all its types have the one that was given last."""
    if made.family is not None:
        work.execute(_POLICY, of_family=made.family, new_policy=made.conflict_policy)


def _product(work: Work, code: str | None) -> int | None:
    if code is None:
        return None
    known = work.value(_PRODUCT, code=code)
    return int(known) if known is not None else work.insert_one(_products, code=code, name=code)


def _type(row: sa.Row[Any]) -> LicenseType:
    return LicenseType(
        row.seq,
        row.code,
        row.name,
        row.product,
        row.family,
        row.rank,
        row.counted,
        duration_of(row.exit_grace),
        row.authority,
        row.conflict_policy,
        row.retired_at is not None,
        Options.of(row.settings),
    )
