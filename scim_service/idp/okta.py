"""Okta: catalogue apps that PATCH and wizard apps that PUT.

Source: Okta's developer pages on SCIM 2.0 and its test files; recordings in `conformance/recordings/okta/`.
"""

from scim_service.idp.profile import Profile

PROFILE = Profile(
    name="okta",
    title="Okta",
    # Group Push looks a group up by its name and links to what it finds: two of one name would be mixed up.
    unique_group_names=True,
    guide=(
        "Application > Provisioning > Integration: choose SCIM, base URL {url}",
        "Unique identifier field for users: userName",
        "Supported actions: tick Import New Users, Push New Users, Push Profile Updates and Push Groups",
        "Authentication mode: HTTP Header, and paste the token",
        "Provisioning > To App: tick Create Users, Update User Attributes and Deactivate Users",
        "Push Groups: add the groups whose members shall hold licenses",
    ),
)
