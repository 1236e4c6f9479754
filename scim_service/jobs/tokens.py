"""The job `token-notices`: who may make tokens is told of those that end soon (reliability.md A3)."""

from __future__ import annotations

from scim_service.access import token_notices
from scim_service.jobs import tenants
from scim_service.jobs.job import Context, Report

NAME = "token-notices"


def run(context: Context) -> Report:
    """Tell of every token that ends within 30 days, and again of those that end within 7."""
    return tenants.each(context, NAME, tenants.asked(context, NAME, token_notices.concerned), token_notices.post)
