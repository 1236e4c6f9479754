"""The SCIM resources over HTTP, on one blueprint: users, groups, lists, discovery, what is not built."""

from scim_service.endpoints.scim import bulk, discovery, groups, root, unbuilt, users
from scim_service.endpoints.scim.routes import blueprint

__all__ = ["blueprint", "bulk", "discovery", "groups", "root", "unbuilt", "users"]
