"""The tables, one file per room that owns them, on one metadata with names for every constraint."""

from scim_service.storage.tables import access, audit, delivery, directory, jobs, licensing, usage
from scim_service.storage.tables.columns import metadata

__all__ = ["access", "audit", "delivery", "directory", "jobs", "licensing", "metadata", "usage"]
