"""The SCIM resources over HTTP, on one blueprint: users, groups, discovery, and what is not built yet."""

from scim_service.endpoints.scim import discovery, groups, unbuilt, users
from scim_service.endpoints.scim.routes import blueprint

__all__ = ["blueprint", "discovery", "groups", "unbuilt", "users"]
