"""The SCIM resources over HTTP, on one blueprint: users, groups, lists, /Bulk, /Me, discovery."""

from scim_service.endpoints.scim import bulk, discovery, groups, me, root, users
from scim_service.endpoints.scim.routes import blueprint

__all__ = ["blueprint", "bulk", "discovery", "groups", "me", "root", "users"]
