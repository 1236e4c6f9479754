"""What a database error means to a caller: a constraint by its name, a lock that took too long, a lost connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy.exc as sx

from scim_service import errors

RETRY = {"Retry-After": "2"}
LATER = {"Retry-After": "10"}

TAKEN = {
    ("users", "user_name_key"): "Another person already has this userName (upper and lower case count as the same). "
    "Find that person with a filter on userName, or choose another name.",
    ("groups", "unique_name_key"): "Another group of this connection already has this displayName. "
    "Find that group with a filter on displayName, or choose another name.",
    ("user_external_ids", "external_id"): "Another person of this connection already has this externalId.",
    ("group_external_ids", "external_id"): "Another group of this connection already has this externalId.",
    ("tenants", "slug"): "There is already a tenant with this slug. Choose another one.",
    ("connections", "name"): "There is already a connection with this name. Choose another one.",
    ("license_types", "code"): "There is already a license type with this code. Choose another one.",
    ("contracts", "number"): "There is already a contract with this number. Choose another one.",
    ("administrators", "email_key"): "This address is an administrator or invited already. Remove that one first.",
    ("administrators", "tenant_id"): "There is a head administrator already. Appoint another one as that head.",
    ("administrators", "head"): "There is a head administrator already. Appoint another one as that head.",
    ("rules", "type_seq"): "There is already a rule for this group and license type. Delete it first.",
}
"""Last column of the unique key that was broken → what the reader should know."""


class Again(errors.Unavailable):
    """Nothing was done; the door may run the same request again (reliability.md G7)."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the drivers raise into this service's own errors."""
    try:
        yield
    except sx.IntegrityError as error:
        raise _violation(error) from error
    except sx.TimeoutError as error:
        raise errors.Unavailable("All database connections are in use. Send the request again.", RETRY) from error
    except (sx.OperationalError, sx.InternalError, sx.InterfaceError) as error:
        raise _operational(error) from error


def _violation(error: sx.IntegrityError) -> Exception:
    key = _broken_key(error)
    if key in TAKEN:
        return errors.Uniqueness(TAKEN[key], code="taken")
    if _is_foreign_key(error):
        return Again("What this request refers to was just removed. Send it again.", RETRY)
    return error


def _broken_key(error: sx.IntegrityError) -> tuple[str, str]:
    """(table, last column) of the unique key: from SQLite's message, or from PostgreSQL's constraint name."""
    columns = re.findall(r"(\w+)\.(\w+)", str(error.orig)) if "UNIQUE" in str(error.orig) else []
    if columns:
        table, column = columns[-1]
        return table, column
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""
    for table, column in TAKEN:
        if name == f"pk_{table}" or (name.startswith(f"uq_{table}_") and name.endswith(f"_{column}")):
            return table, column
    return ("", name)


def _is_foreign_key(error: sx.IntegrityError) -> bool:
    return getattr(error.orig, "sqlstate", "") == "23503" or "FOREIGN KEY" in str(error.orig)


def _operational(error: sx.DBAPIError) -> Exception:
    state = getattr(error.orig, "sqlstate", None) or ""
    text = str(error.orig)
    if state in {"40001", "40P01"} or "database is locked" in text:
        return Again("The database was busy with another change. Send the request again.", RETRY)
    if state in {"55P03", "57014"} or "interrupted" in text:
        return errors.Unavailable("This took too long and was stopped. Ask for less, or send it again.", RETRY)
    if state == "25006" or "readonly database" in text:
        return errors.Unavailable("The database takes no changes now. Send the request again later.", LATER)
    return errors.Unavailable("The database cannot be reached. Send the request again later.", LATER)
