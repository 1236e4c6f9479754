"""/Bulk (RFC 7644 section 3.7): many operations in one request, each whole or not at all.

The one place where a request is more than one transaction. The licensing row is locked last (decision 19): once an
operation has come to the seats, no group and no person may be locked any more, so two operations that move seats cannot
share a transaction, and one transaction for a thousand of them would keep every other writer of the tenant waiting. So
each operation is its own, as if it had been sent alone, but for people who are made one after the other: they lock
nobody who is there, and `BATCH` of them go together, which is where a bulk request saves most.

As what is done stays done, an operation that fails in whatever way is told as its own result, never as that of all.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import orjson
from flask import Response, g, request

from scim_service import errors
from scim_service.directory import groups, many_users, users
from scim_service.directory.documents import Expected, Resource
from scim_service.directory.group_rows import Group
from scim_service.directory.many_users import Made, New
from scim_service.endpoints import door, service
from scim_service.endpoints.scim import answers, changes, requests
from scim_service.endpoints.scim.routes import blueprint
from scim_service.protocol import bulk, limits, messages, patch
from scim_service.protocol.bulk import Operation
from scim_service.protocol.schema import GROUP, USER
from scim_service.storage.work import Work

BATCH = 100
"""People who are made in one transaction: it holds the seats for some tens of milliseconds."""

NOT_MADE = "What this refers to was not made; see its own result. Send both again."
IN_CIRCLE = "Groups cannot be members of each other in a circle. Leave one of the references out."

Act = Callable[[Work], Resource | Group | None]
T = TypeVar("T")

_log = logging.getLogger("scim_service.bulk")


@blueprint.post("/Bulk")
def carry_out() -> Response:
    """Carry out the operations, in an order in which references can be followed; answer in theirs."""
    if changes.HEADER in request.headers:
        raise errors.InvalidValue(f"{changes.HEADER} is for one change; a bulk request is many. Leave it out.")
    asked = bulk.read(requests.message(limits.BULK_BODY_BYTES, limits.BULK_VALUES))
    makes = [one.makes for one in asked.operations if one.makes is not None]
    run = _Run(asked, {name: str(uuid.uuid4()) for name in makes})
    run.carry_out()
    return answers.document(bulk.response([run.results[number] for number in sorted(run.results)]))


@dataclass
class _Run:
    """A bulk request under way: the ids of what it makes (by bulkId), and what came of each operation."""

    asked: bulk.Bulk
    ids: dict[str, str]
    results: dict[int, dict[str, Any]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    """bulkIds of what was to be made and is not."""
    error_count: int = 0

    def carry_out(self) -> None:
        """Do everything that can be done, or as much as failOnErrors lets be done."""
        for act, numbers in self._steps():
            if self.left is None or self.left > 0:
                act(numbers)

    @property
    def left(self) -> int | None:
        """How many errors end the request from now on; None where none do."""
        most = self.asked.fail_on_errors
        return None if most is None else most - self.error_count

    def _steps(self) -> Iterator[tuple[Callable[[Sequence[int]], None], list[int]]]:
        """What is done with which operations: people who follow each other are made together."""
        batch: list[int] = []
        for unit in bulk.units(self.asked.operations):
            if len(unit) == 1 and self._joins(unit[0], batch):
                batch.append(unit[0])
                continue
            if batch:
                yield self._make_people, batch
            batch = []
            if len(unit) > 1:
                yield self._make_circle, unit
            elif self._makes_person(unit[0]):
                batch = unit
            else:
                yield self._do, unit
        if batch:
            yield self._make_people, batch

    def _makes_person(self, number: int) -> bool:
        one = self.asked.operations[number]
        return one.method == "POST" and one.resource_type is USER and one.refusal is None

    def _joins(self, number: int, batch: Sequence[int]) -> bool:
        """Whether a person can be made with those before, to whom it must not refer."""
        among = {self.asked.operations[other].makes for other in batch}
        is_short = 0 < len(batch) < BATCH
        return is_short and self._makes_person(number) and not self.asked.operations[number].refers & among

    def _make_people(self, numbers: Sequence[int]) -> None:
        """Make people together, or one by one where one of them cannot be made so."""
        found = [self.asked.operations[number] for number in numbers]
        if any(one.refers & self.failed for one in found):
            self._do(numbers)
            return
        made = _outcome(lambda: door.attempted(lambda: _made_together([self._new(one) for one in found], self.left)))
        if isinstance(made, errors.ScimError) and not isinstance(made, errors.Unavailable):
            self._do(numbers)
            return
        self._note_all(numbers, [made] * len(found) if isinstance(made, errors.ScimError) else made)

    def _make_circle(self, numbers: Sequence[int]) -> None:
        """Make people who refer to each other, all or none. Groups cannot be in each other, so theirs is refused."""
        found = [self.asked.operations[number] for number in numbers]
        if any(one.resource_type is GROUP for one in found):
            made: Sequence[Made] = [errors.Refused(IN_CIRCLE)] * len(found)
        elif any(one.refers & self.failed for one in found):
            made = [errors.Refused(NOT_MADE)] * len(found)
        else:
            whole = _outcome(lambda: self._made_whole(found))
            made = [whole] * len(found) if isinstance(whole, errors.ScimError) else whole
        self._note_all(numbers, made)

    def _made_whole(self, found: Sequence[Operation]) -> Sequence[Made]:
        """People who are made all or none; once more where one of them came back and so has another id already."""
        try:
            return door.attempted(lambda: _made_whole([self._new(one) for one in found]))
        except _CameBack as back:
            self.ids |= {str(one.bulk_id): known for one, known in zip(found, back.ids, strict=True)}
            return door.attempted(lambda: _made_whole([self._new(one) for one in found]))

    def _new(self, one: Operation) -> New:
        _expect_size(one)
        return New(self.ids[str(one.bulk_id)], bulk.resolved(one, self.ids).data)

    def _do(self, numbers: Sequence[int]) -> None:
        """Carry out operations one by one, as if each had been sent alone."""
        for number in numbers:
            if self.left is None or self.left > 0:
                one = self.asked.operations[number]
                self._note(number, _outcome(partial(self._done, one)))

    def _done(self, one: Operation) -> Resource | Group | None:
        if one.refusal is not None:
            raise one.refusal
        if one.refers & self.failed:
            raise errors.Refused(NOT_MADE)
        _expect_size(one)
        assert one.resource_type is not None
        ready = bulk.resolved(one, self.ids)
        act = ACTS[one.resource_type.name, one.method](ready, self.ids.get(one.makes or "", ""))
        return door.attempted(lambda: _committed(act))

    def _note_all(self, numbers: Sequence[int], made: Sequence[Made]) -> None:
        """Keep what came of some, as far as errors are accepted; of the rest nothing was done."""
        for number, one in zip(numbers, made, strict=False):
            if self.left is None or self.left > 0:
                self._note(number, one)

    def _note(self, number: int, made: Resource | Group | errors.ScimError | None) -> None:
        """Keep what came of an operation."""
        one = self.asked.operations[number]
        shown = {"method": one.method, **({} if one.bulk_id is None else {"bulkId": one.bulk_id})}
        if isinstance(made, errors.ScimError):
            self._note_error(one, made)
            body = messages.error_body(made.status, made.detail, made.scim_type)
            place = {} if one.method == "POST" else {"location": self._location(one)}
            self.results[number] = {**shown, **place, "status": str(made.status), "response": body}
            return
        resource = made.resource if isinstance(made, Group) else made
        if one.makes is not None and resource is not None:
            self.ids[one.makes] = resource.id
        version = {} if resource is None else {"version": resource.etag}
        place = {"location": self._location(one)}
        self.results[number] = {**shown, **place, **version, "status": _status(one, made)}

    def _note_error(self, one: Operation, error: errors.ScimError) -> None:
        self.error_count += 1
        if one.makes is not None:
            self.failed.add(one.makes)
        door.note_error(error)

    def _location(self, one: Operation) -> str:
        """Where the resource is; as the path says where it is not known."""
        if one.resource_type is None or not one.refers <= self.ids.keys():
            return f"{requests.base()}/{one.path.lstrip('/')}"
        target = self.ids[one.makes] if one.makes is not None else bulk.resolved(one, self.ids).target
        return f"{requests.base()}{one.resource_type.endpoint}/{target}"


# ---- one transaction each


def _made_together(news: Sequence[New], most_errors: int | None) -> Sequence[Made]:
    with door.writing() as work:
        return many_users.create(work, news, most_errors)


def _made_whole(news: Sequence[New]) -> Sequence[Made]:
    """People who are made all or not at all."""
    try:
        with door.writing() as work:
            made = many_users.create(work, news)
            if any(isinstance(one, errors.ScimError) for one in made):
                raise _Undone(made)
            ids = [one.id for one in made if isinstance(one, Resource)]
            if ids != [new.id for new in news]:
                raise _CameBack(ids)
            return made
    except _Undone as undone:
        return [one if isinstance(one, errors.ScimError) else errors.Refused(NOT_MADE) for one in undone.made]


class _Undone(Exception):
    """Somebody of those who refer to each other could not be made, so nobody is."""

    def __init__(self, made: Sequence[Made]) -> None:
        super().__init__()
        self.made = made


class _CameBack(Exception):
    """Somebody was inactive and came back: the others have to refer to the id that is known; `ids` of all."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__()
        self.ids = ids


def _committed(act: Act) -> Resource | Group | None:
    with door.writing() as work:
        return act(work)


def _outcome(act: Callable[[], T]) -> T | errors.ScimError:
    """What an act comes to, or why it failed; a crash too, since what was done before stays."""
    try:
        return act()
    except errors.ScimError as error:
        return error
    except Exception as crash:
        _log.error("an operation of a bulk request failed", exc_info=crash, extra={"request_id": g.request_id})
        return errors.ScimError(
            f"Something went wrong here, and this was not done. Send it again, or report the id {g.request_id}."
        )


# ---- what an operation asks


def _post_user(one: Operation, new_id: str) -> Act:
    return lambda work: users.create(work, one.data, new_id)


def _put_user(one: Operation, _: str) -> Act:
    target, expected = str(one.target), _expected(one)
    return lambda work: users.replace(work, target, one.data, expected)


def _patch_user(one: Operation, _: str) -> Act:
    target, expected, steps = str(one.target), _expected(one), patch.operations(one.data)
    creates = door.profile().replace_creates
    return lambda work: users.patch(work, target, steps, replace_creates=creates, expected=expected)


def _delete_user(one: Operation, _: str) -> Act:
    target, expected = str(one.target), _expected(one)
    return lambda work: users.delete(work, target, expected)


def _post_group(one: Operation, new_id: str) -> Act:
    profile = door.profile().name
    return lambda work: groups.create(work, one.data, profile, new_id)


def _put_group(one: Operation, _: str) -> Act:
    target, expected = str(one.target), _expected(one)
    return lambda work: groups.replace(work, target, one.data, expected)


def _patch_group(one: Operation, _: str) -> Act:
    target, expected, steps = str(one.target), _expected(one), patch.operations(one.data)
    creates = door.profile().replace_creates
    return lambda work: groups.patch(work, target, steps, replace_creates=creates, expected=expected)


def _delete_group(one: Operation, _: str) -> Act:
    target, expected = str(one.target), _expected(one)
    return lambda work: groups.delete(work, target, expected)


ACTS: dict[tuple[str, str], Callable[[Operation, str], Act]] = {
    (USER.name, "POST"): _post_user,
    (USER.name, "PUT"): _put_user,
    (USER.name, "PATCH"): _patch_user,
    (USER.name, "DELETE"): _delete_user,
    (GROUP.name, "POST"): _post_group,
    (GROUP.name, "PUT"): _put_group,
    (GROUP.name, "PATCH"): _patch_group,
    (GROUP.name, "DELETE"): _delete_group,
}


def _expected(one: Operation) -> Expected:
    """The version of an operation is its If-Match (RFC 7644 section 3.14)."""
    if one.version is None or one.version.strip() == "*":
        return Expected()
    return Expected(match=requests.versions(one.version))


def _expect_size(one: Operation) -> None:
    """Refuse data that would be refused alone for its size."""
    if one.resource_type is USER and one.data is not None:
        messages.expect_size(orjson.dumps(one.data), one.data, limits.USER_BODY_BYTES, limits.USER_VALUES)


def _status(one: Operation, made: Resource | Group | None) -> str:
    """The status that the operation would have had alone."""
    if one.method == "PATCH" and isinstance(made, Group):
        return "200" if made.member_count <= service.current().settings.group_patch_limit else "204"
    return {"POST": "201", "DELETE": "204"}.get(one.method, "200")
