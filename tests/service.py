"""A whole service on a test database, with the cast: Acme and its connections, Globex with Charlie, tokens for both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask
from flask.testing import FlaskClient

from scim_service import config
from scim_service.access import connections, credentials, tenants
from scim_service.app import create_app
from scim_service.storage.store import Store
from scim_service.storage.work import EVERY_TENANT, Actor, Work
from tests import promised

ACTOR = Actor("cli", "test")
SECRET = "a key for tests only, long enough to be one"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
LICENSES = "urn:ietf:params:scim:schemas:extension:scim-service:license:2.0:User"


@dataclass(frozen=True)
class Answer:
    """A response: status, headers, and the JSON in it."""

    status: int
    headers: Mapping[str, str]
    text: str
    body: Any = field(default=None)


class Caller:
    """Speaks SCIM with one token, through the whole application."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self.client = client
        self.token = token

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request under /scim/v2; `body` is sent as JSON, bytes as they are."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json", **(headers or {})}
        got = self.client.open(f"/scim/v2{path}", method=method, data=data, headers=given)
        text = got.get_data(as_text=True)
        answer = Answer(got.status_code, dict(got.headers), text, json.loads(text) if text else None)
        promised.check(method, path, answer.status, answer.headers.get("Content-Type"), answer.body)
        return answer

    def get(self, path: str, **query: Any) -> Answer:
        return self.send("GET", f"{path}?{urlencode(query, quote_via=quote)}" if query else path)

    def post(self, path: str, body: Any) -> Answer:
        return self.send("POST", path, body)

    def put(self, path: str, body: Any) -> Answer:
        return self.send("PUT", path, body)

    def patch(self, path: str, *operations: Mapping[str, Any], **headers: str) -> Answer:
        return self.send("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, headers)

    def delete(self, path: str) -> Answer:
        return self.send("DELETE", path)

    def user(self, user_name: str, **attributes: Any) -> dict[str, Any]:
        """A new person; what the service answered."""
        answer = self.post("/Users", {"schemas": [CORE], "userName": user_name, **attributes})
        assert answer.status == 201, answer.text
        made: dict[str, Any] = answer.body
        return made

    def group(self, name: str, *member_ids: str, **attributes: Any) -> dict[str, Any]:
        """A new group; what the service answered."""
        members = [{"value": one} for one in member_ids]
        answer = self.post("/Groups", {"schemas": [GROUP], "displayName": name, "members": members, **attributes})
        assert answer.status == 201, answer.text
        made: dict[str, Any] = answer.body
        return made

    def names(self, filter_text: str) -> list[str]:
        """The userNames that a filter finds."""
        answer = self.get("/Users", filter=filter_text)
        assert answer.status == 200, answer.text
        return [one["userName"] for one in answer.body["Resources"]]


@dataclass
class Cast:
    """The application and who may speak to it."""

    app: Flask
    store: Store
    acme: Caller
    globex: Caller
    acme_id: int
    globex_id: int
    tokens: dict[str, str]

    def as_(self, profile: str) -> Caller:
        """Acme's connection with this profile."""
        return Caller(self.app.test_client(), self.tokens[profile])

    def writing(self, tenant_id: int | None = None) -> Any:
        return self.store.writing(tenant_id or self.acme_id, ACTOR)

    def reading(self, tenant_id: int | None = None) -> Any:
        return self.store.reading(tenant_id or self.acme_id, ACTOR)


def settings(database_url: str, **more: str) -> config.Settings:
    """Settings as the environment of a test would have them."""
    return config.from_environment({"SCIM_DATABASE_URL": database_url, "SCIM_SECRET_KEY": SECRET, **more})


def assemble(store: Store, **more: str) -> Cast:
    """A service with Acme (connections rfc, okta, entra, and a read token) and Globex, where Charlie is."""
    app = create_app(settings(store.database.url, **more), store)
    with store.writing(EVERY_TENANT, ACTOR) as work:
        acme = tenants.create(work, "acme", "Acme").id
        tokens = {name: _token(work, name) for name in ("rfc", "okta", "entra")}
        tokens["read"] = credentials.create(work, connections.find(work, "rfc"), scope="read")
    with store.writing(EVERY_TENANT, ACTOR) as work:
        globex = tenants.create(work, "globex", "Globex").id
        other = _token(work, "rfc")
    cast = Cast(
        app, store, Caller(app.test_client(), tokens["rfc"]), Caller(app.test_client(), other), acme, globex, tokens
    )
    cast.globex.user("charlie@globex.example", displayName="Charlie", emails=[{"value": "charlie@globex.example"}])
    return cast


def another(cast: Cast, slug: str) -> Cast:
    """The same service with a new tenant in Acme's place: one connection, rfc, and nobody in it yet."""
    with cast.store.writing(EVERY_TENANT, ACTOR) as work:
        made = tenants.create(work, slug, slug).id
        token = _token(work, "rfc")
    return replace(cast, acme=Caller(cast.app.test_client(), token), acme_id=made, tokens={"rfc": token})


def moved(cast: Cast, store: Store, **more: str) -> Cast:
    """The same tenants and tokens, served from another database that has them."""
    app = create_app(settings(store.database.url, **more), store)
    acme, globex = (Caller(app.test_client(), one.token) for one in (cast.acme, cast.globex))
    return replace(cast, app=app, store=store, acme=acme, globex=globex)


def adding(*member_ids: str) -> dict[str, Any]:
    """The operation of a PATCH that adds members to a group."""
    return {"op": "add", "path": "members", "value": [{"value": one} for one in member_ids]}


def _token(work: Work, profile: str) -> str:
    return credentials.create(work, connections.create(work, profile, profile))
