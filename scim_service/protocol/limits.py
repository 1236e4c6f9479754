"""What one request may ask for: one constant each (decision 16). Over a limit is refused, never cut."""

from __future__ import annotations

FILTER_CHARACTERS = 8_192
FILTER_COMPARISONS = 200
FILTER_DEPTH = 16
"""How deep the parentheses and brackets of a filter may be nested, and how deep its tree may be."""

USER_BODY_BYTES = 1024 * 1024
GROUP_BODY_BYTES = 16 * 1024 * 1024
JSON_DEPTH = 32
USER_VALUES = 10_000
"""Values in the JSON of a User, containers included."""
GROUP_VALUES = 1_000_000
BULK_BODY_BYTES = 16 * 1024 * 1024
BULK_VALUES = 1_000_000
BULK_OPERATIONS = 1_000
STRING_BYTES = 64 * 1024

PATCH_OPERATIONS = 1_000
MEMBERS = 100_000
"""Members named in one request."""

PAGE_DEFAULT = 100
PAGE_MOST = 1_000
USER_NAME_CHARACTERS = 256
KEY_BYTES = 2_000
"""Of a folded key; PostgreSQL refuses index entries of more than about 2,700 bytes."""
PATH_CHARACTERS = 8_192
PROJECTED_NAMES = 200
"""Names in `attributes` or `excludedAttributes`."""
MEMBER_ID_CHARACTERS = 256
ELEMENTS = 5_000
"""Values of one multi-valued attribute, other than members."""
PATCH_COMPARISONS = 200_000
"""How often the value filters and additions of one PATCH may look at a value."""
