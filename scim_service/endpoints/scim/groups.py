"""/Groups (RFC 7644 sections 3.3 to 3.6)."""

from __future__ import annotations

from flask import Response

from scim_service.directory import groups
from scim_service.directory.documents import View
from scim_service.directory.group_rows import Group
from scim_service.endpoints import door, service
from scim_service.endpoints.scim import answers, changes, lists, requests
from scim_service.endpoints.scim.changes import Done
from scim_service.endpoints.scim.routes import blueprint
from scim_service.protocol.schema import GROUP
from scim_service.storage.work import Work


@blueprint.get("/Groups")
@door.again
def list_groups() -> Response:
    """A page of groups, filtered; members only where they are wanted (quirk 28)."""
    return lists.answer(lists.asked(), GROUP)


@blueprint.post("/Groups")
@door.again
def create_group() -> Response:
    """A new group, with or without members."""
    payload, view, profile = requests.payload(GROUP), requests.view(GROUP), door.profile().name
    return changes.made(lambda work: _done(work, groups.create(work, payload, profile), view))


@blueprint.get("/Groups/<group_id>")
@door.again
def read_group(group_id: str) -> Response:
    """One group."""
    view = requests.view(GROUP)
    with door.reading() as work:
        group = groups.find(work, group_id)
        known = requests.expected().is_known(group.resource.version)
        body = None if known else _shown(work, group, view)
    return answers.unchanged(group.resource) if body is None else answers.resource(body, group.resource)


@blueprint.put("/Groups/<group_id>")
@door.again
def replace_group(group_id: str) -> Response:
    """A whole new group, members included."""
    payload, view, expected = requests.payload(GROUP), requests.view(GROUP), requests.expected()
    return changes.changed(lambda work: _done(work, groups.replace(work, group_id, payload, expected), view))


@blueprint.patch("/Groups/<group_id>")
@door.again
def patch_group(group_id: str) -> Response:
    """Some changes to a group; a large one is not sent back unless attributes are asked for (decision 14)."""
    operations, view = requests.operations(GROUP), requests.view(GROUP)
    creates, expected = door.profile().replace_creates, requests.expected()

    def act(work: Work) -> Done:
        group = groups.patch(work, group_id, operations, replace_creates=creates, expected=expected)
        return _done(work, group, view, _answers_with_body(group))

    return changes.changed(act)


@blueprint.delete("/Groups/<group_id>")
@door.again
def delete_group(group_id: str) -> Response:
    """The end of a group; its people stay."""
    with door.writing() as work:
        groups.delete(work, group_id, requests.expected())
    return answers.nothing()


def _done(work: Work, group: Group, view: View, with_body: bool = True) -> Done:
    location = f"{view.base}{GROUP.endpoint}/{group.resource.id}"
    return Done(group.resource, location, (lambda: _shown(work, group, view)) if with_body else None)


def _shown(work: Work, group: Group, view: View) -> dict[str, object]:
    return groups.shown(work, [group.resource], view)[0]


def _answers_with_body(group: Group) -> bool:
    return requests.asks_for_attributes() or group.member_count <= service.current().settings.group_patch_limit
