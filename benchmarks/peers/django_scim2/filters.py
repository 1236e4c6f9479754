"""The attributes that filters may name: the peer's own, and those that its documentation suggests to add."""

from __future__ import annotations

from django_scim.filters import GroupFilterQuery, UserFilterQuery


class UserFilters(UserFilterQuery):
    """Filters on people."""

    attr_map = {  # noqa: RUF012  # the peer reads it from the class
        **UserFilterQuery.attr_map,
        ("externalId", None, None): "scim_external_id",
        ("emails", "value", None): "email",
    }


class GroupFilters(GroupFilterQuery):
    """Filters on groups; the members are a path that PATCH names."""

    attr_map = {  # noqa: RUF012  # the peer reads it from the class
        ("displayName", None, None): "name",
        ("members", None, None): "members",
    }
