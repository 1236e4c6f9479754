"""The RFC's answer to every question that a profile may answer otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """How one kind of identity provider is met.

    `unique_group_names`: a second group of this connection with the same displayName, case aside, is 409 `uniqueness`
    (RFC 7643 section 4.2 does not ask for it). `replace_creates`: a PATCH `replace` on a value path without a match
    makes the element instead of answering `noTarget` (RFC 7644 section 3.5.2.3). `guide` is what to set on the
    provider's side, a step per line, with `{url}` where the base URL stands.
    """

    name: str
    title: str
    unique_group_names: bool = False
    replace_creates: bool = False
    guide: tuple[str, ...] = ()


RFC = Profile(
    name="rfc",
    title="Any SCIM 2.0 client",
    guide=(
        "Base URL: {url}",
        "Authentication: HTTP header, Authorization: Bearer TOKEN",
        "Unique identifier of a user: userName",
    ),
)
