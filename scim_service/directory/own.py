"""What a person may change by /Me (RFC 7644 section 3.11): how one is called, reached and spoken to.

Everything else decides something: who may sign in, which licenses rules and attributes give, what the identity provider
matches by. It belongs to whoever provisions.
"""

from __future__ import annotations

from collections.abc import Sequence

from scim_service import errors
from scim_service.directory import documents, users
from scim_service.directory.documents import ANY_VERSION, Expected, Resource
from scim_service.protocol import patch as patching
from scim_service.storage import faults
from scim_service.storage.work import Work

WRITABLE = frozenset(
    {
        "addresses",
        "displayName",
        "ims",
        "locale",
        "name",
        "nickName",
        "phoneNumbers",
        "photos",
        "preferredLanguage",
        "profileUrl",
        "timezone",
    }
)


def replace(work: Work, user_id: str, payload: dict[str, object], expected: Expected = ANY_VERSION) -> Resource:
    """Put a new document in the place of the own one. Raises Forbidden where more than one's own would change."""
    before = users.find(work, user_id)
    return _own_only(before, users.replace(work, user_id, payload, expected))


def patch(
    work: Work,
    user_id: str,
    operations: Sequence[patching.Operation],
    *,
    replace_creates: bool = False,
    expected: Expected = ANY_VERSION,
) -> Resource:
    """Change the own document. Raises Forbidden where more than one's own would change."""
    before = users.find(work, user_id)
    after = users.patch(work, user_id, operations, replace_creates=replace_creates, expected=expected)
    return _own_only(before, after)


def _own_only(before: Resource, after: Resource) -> Resource:
    """The person after the change, which an exception undoes. Raises Again where somebody else came first."""
    if after.version not in {before.version, before.version + 1}:
        raise faults.Again("This person was changed by somebody else. Send the request again.", faults.RETRY)
    names = documents.changed_names(
        {**before.document, "externalId": before.external_id}, {**after.document, "externalId": after.external_id}
    )
    others = sorted(set(names) - WRITABLE)
    if others or before.active != after.active:
        named, writable = ", ".join(others) or "active", ", ".join(sorted(WRITABLE))
        raise errors.Forbidden(f"You may not change {named} yourself. You may change {writable}.")
    return after
