"""The public checker scim2-tester on the writable types: no error but the one that decision 40 names.

It is told what a User is, with the Enterprise extension: of every extension that it discovers it expects to write an
empty one and to read it back, which our read-only extension cannot be asked for (RFC 7643 sections 2.5 and 7).
"""

from __future__ import annotations

import pytest
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_models import EnterpriseUser, ResourceType, ScimProvider, User
from scim2_tester import Status, check_server

from tests.service import Cast

BAD = {Status.ERROR, Status.CRITICAL, Status.DEVIATION}
NEWER_THAN_ITS_MODELS = "pagination"
"""ServiceProviderConfig has an attribute of RFC 9865 that the checker's models may refuse."""


@pytest.mark.parametrize("profile", ["rfc", "okta", "entra"])
def test_the_checker_finds_no_error(cast: Cast, profile: str) -> None:
    headers = {"Authorization": f"Bearer {cast.tokens[profile]}"}
    described = ResourceType.from_resource(User[EnterpriseUser])
    provider = ScimProvider(models=[User, EnterpriseUser], resource_types=[described])
    client = WSGISCIMClient(cast.app, base_url="http://localhost/scim/v2", headers=headers, provider=provider)
    results = check_server(client, resource_types=["User", "Group"])
    bad = [str(one) for one in results if one.status in BAD and NEWER_THAN_ITS_MODELS not in str(one)]
    assert bad == []
    assert sum(one.status is Status.SUCCESS for one in results) > 50
