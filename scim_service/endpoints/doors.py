"""The doors of the service: a prefix each, with the tokens that it lets in and what it lets them do.

A token is good at one door only (reliability.md W16): an identity provider's never asks the product's questions, and
the product's never reads the directory.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from scim_service.access import credentials, links


@dataclass(frozen=True)
class Door:
    """Everything under `prefix`: which scopes come in, which of them may write, which endpoints need no token,
    which are `asking` though they are a POST, and which are all that a token of a person's `own` may ask.

    `stranger` is the sentence for a token of another door; `remembered`: whether the connection notes that it was
    seen here and what it was refused; `public`: no token is asked for, as a link is its own credential.
    """

    prefix: str
    scopes: frozenset[str]
    writers: frozenset[str]
    stranger: str
    open: frozenset[str] = frozenset()
    asking: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    remembered: bool = False
    public: bool = False


SCIM = Door(
    prefix="/scim/v2",
    scopes=frozenset({credentials.READ, credentials.WRITE, credentials.ME}),
    writers=frozenset({credentials.WRITE, credentials.ME}),
    stranger="This token is for the questions of /api/v1 only. Make one for SCIM with: scim-service token create",
    open=frozenset(
        {
            "scim.service_provider_config",
            "scim.resource_types",
            "scim.resource_type",
            "scim.schemas",
            "scim.one_schema",
            "scim.read_openapi",
        }
    ),
    asking=frozenset({"scim.search_everything", "scim.search_users", "scim.search_groups"}),
    own=frozenset({"scim.read_me", "scim.replace_me", "scim.patch_me", "scim.refuse_me"}),
    remembered=True,
)
"""Identity providers. Discovery answers without a credential unless `SCIM_OPEN_DISCOVERY` closes it (decision 15)."""

API = Door(
    prefix="/api/v1",
    scopes=frozenset({credentials.CHECK}),
    writers=frozenset(),
    stranger="This token is for SCIM. Make one for this with: scim-service token create SLUG --scope check",
)
"""The product that sells the seats: it asks, and changes nothing."""

LINKS = Door(prefix=links.PATH, scopes=frozenset(), writers=frozenset(), stranger="", public=True)
"""Who was written to: people and administrators who open the link of a letter."""

DOORS = (SCIM, API, LINKS)


def here() -> Door | None:
    """The door that the request came to, whatever it asks for; None for what is at none, such as health."""
    path = request.path
    return next((one for one in DOORS if path == one.prefix or path.startswith(one.prefix + "/")), None)
