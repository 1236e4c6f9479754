"""THE table of jobs: what runs by the clock, how often, and why (licensing.md 4.6)."""

from __future__ import annotations

from datetime import timedelta

from scim_service.jobs import clock, digest, notices, outbox, purge, reclaim, reconcile, reminders, tokens, usage
from scim_service.jobs.job import Job

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

JOBS: tuple[Job, ...] = (
    Job(clock.NAME, timedelta(seconds=15), clock.run, "Seats lapse and are given on time, also where nobody asks."),
    Job(reminders.NAME, 5 * _MINUTE, reminders.run, "Invitations and verifications are reminded of, and lapse (T-3)."),
    Job(outbox.NAME, timedelta(seconds=30), outbox.run, "Letters that are due are sent."),
    Job(notices.REMOVALS, _MINUTE, notices.removals, "Many people who left groups one by one are told of (N-8)."),
    Job(notices.SEATS, 5 * _MINUTE, notices.seats_rearm, "Alerts of seats that run low are armed again (N-5)."),
    Job(
        notices.CONTRACTS,
        _HOUR,
        notices.contracts_end,
        "Contracts that end, and graces that end, are told of (N-6).",
        10 * _MINUTE,
    ),
    Job(usage.SNAPSHOT, _HOUR, usage.snapshot, "The numbers of every type are kept, hour by hour."),
    Job(usage.DAILY, _DAY, usage.daily, "The numbers of a day are made of its hours.", 5 * _MINUTE),
    Job(usage.FORECAST, _DAY, usage.forecast, "When the seats will be full is said.", 20 * _MINUTE),
    Job(digest.NAME, 15 * _MINUTE, digest.run, "The administrators' weekly letter, Monday 07:00 in their zone (N-7)."),
    Job(
        reconcile.NAME,
        _DAY,
        reconcile.run,
        "Ledger and rows are compared with what they should be, and mended where that is safe (I-12).",
        2 * _HOUR + 15 * _MINUTE,
    ),
    Job(
        reclaim.NAME,
        _DAY,
        reclaim.run,
        "Idle people are asked, reminded, and lose what they do not answer for (E-29).",
        3 * _HOUR,
    ),
    Job(purge.NAME, _DAY, purge.run, "What is over for long is deleted (D4).", 4 * _HOUR),
    Job(tokens.NAME, _DAY, tokens.run, "Tokens that end within 30 and 7 days are told of (A3).", 6 * _HOUR),
)
"""A job runs once in every period, counted from midnight UTC and moved by its offset."""

BY_NAME = {one.name: one for one in JOBS}
