"""THE table of jobs: what runs by the clock, how often, and why (licensing.md 4.6)."""

from __future__ import annotations

from datetime import timedelta

from scim_service.jobs import clock
from scim_service.jobs.job import Job

JOBS: tuple[Job, ...] = (
    Job("clock", timedelta(seconds=15), clock.run, "Seats lapse and are given on time, also where nobody asks."),
)
"""A job runs once in every period, counted from midnight UTC and moved by its offset."""

BY_NAME = {one.name: one for one in JOBS}
