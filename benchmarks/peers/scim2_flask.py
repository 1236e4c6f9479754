"""scim2-flask with the only storage that it ships: memory. One process, as nothing is shared between processes."""

from __future__ import annotations

import hmac
import os

from flask import Flask, Response, request
from scim2_flask import ScimServer
from scim2_models import EnterpriseUser, Filter, Group, Patch, ResourceType, ScimProvider, ServiceProviderConfig, User
from scim2_server.memory import InMemoryStorage

EXPECTED = f"Bearer {os.environ.get('BENCH_TOKEN', '')}"


def create() -> Flask:
    """The application, with an empty directory."""
    made = Flask("peer", static_folder=None)
    made.secret_key = "for measuring only, on the loopback interface"
    types = [ResourceType.from_resource(one) for one in (User[EnterpriseUser], Group)]
    config = ServiceProviderConfig(patch=Patch(supported=True), filter=Filter(supported=True, max_results=1000))
    provider = ScimProvider(models=[User, EnterpriseUser, Group], resource_types=types, config=config)
    ScimServer(InMemoryStorage(), provider).init_app(made)
    made.before_request(enter)
    return made


def enter() -> Response | None:
    """Compare the token."""
    is_right = hmac.compare_digest(request.headers.get("Authorization", ""), EXPECTED)
    return None if is_right else Response(status=401)


app = create()
