"""The command `jobs`: what runs by the clock, how it went, and what is set aside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from scim_service import clock, errors
from scim_service.access import tenants
from scim_service.cli import arguments, opening, output
from scim_service.cli.opening import Service
from scim_service.jobs import items, leases, runs, slots, worker
from scim_service.jobs.job import Context, Job
from scim_service.jobs.leases import Leader
from scim_service.jobs.table import BY_NAME, JOBS
from scim_service.storage.work import Work

FAILED = 1
"""The exit status of `jobs run` where the run failed, or one of its items."""


@click.group()
def jobs() -> None:
    """What runs by the clock: how it went, one of them now, an item once more."""


@jobs.command("list")
@arguments.as_json
def list_jobs(as_json: bool) -> None:
    """List the jobs: how often each runs, its newest run, what went wrong, the next; who leads, and items that fail.

    An item that failed eight times is parked: it is not tried again before `jobs retry`.

    \b
    Example:
      scim-service jobs list
    """
    with opening.service() as service:
        leader, newest, failures = service.ask_any(
            lambda work: (leases.leader(work), runs.newest(work), _failures(work))
        )
        now = service.store.clock.now()
    rows = [_row(one, newest.get(one.name), now) for one in JOBS]
    if as_json:
        told = {"leader": _leader(leader), "jobs": rows, "failing": failures}
        click.echo(json.dumps(output.jsonable(told), indent=2, ensure_ascii=False))
        return
    click.echo(_led(leader))
    output.listing(rows, False, "")
    if failures:
        click.echo("")
        output.listing(failures, False, "")


@jobs.command("run")
@click.argument("name")
@arguments.as_json
def run_job(name: str, as_json: bool) -> None:
    """Run a job now, whoever leads. It does what is due and no more, so running it twice changes nothing.

    Exit status 1 where the run failed, or one of its items.

    \b
    Example:
      scim-service jobs run clock
    """
    job = _job(name)
    with opening.service() as service:
        record = _run_by_hand(service, job)
    output.made(_told(record), record, as_json)
    if record["failed"] or record["state"] != slots.DONE:
        raise click.exceptions.Exit(FAILED)


@jobs.command("retry")
@arguments.slug
@click.argument("name")
@click.argument("item")
@arguments.as_json
def retry_item(slug: str, name: str, item: str, as_json: bool) -> None:
    """Let an item that failed, or is parked after eight tries, be tried again at the job's next run.

    \b
    Example:
      scim-service jobs retry acme reminders invitation:17
    """
    opening.change(slug, lambda work: items.retry(work, name, item))
    sentence = f"{item} of {slug} is tried again at the next run of {name}."
    output.made(sentence, {"tenant": slug, "job": name, "item": item}, as_json)


def _job(name: str) -> Job:
    if name not in BY_NAME:
        raise errors.NotFound(f"There is no job {name!r}. There are: {', '.join(BY_NAME)}.")
    return BY_NAME[name]


def _run_by_hand(service: Service, job: Job) -> dict[str, Any]:
    """Do it under no lease; what came of it."""
    now = service.store.clock.now()
    run = service.change_any(lambda work: runs.begin_by_hand(work, job.name, worker.new_owner()))
    worker.perform(Context(service.store, service.settings, now, now), job, run)
    ended = service.ask_any(lambda work: runs.find(work, run))
    return {"job": job.name, "state": ended.state, "items": ended.items, "failed": ended.failed, "error": ended.error}


def _told(record: Mapping[str, Any]) -> str:
    if record["error"]:
        return f"{record['job']} failed: {record['error']}"
    return f"{record['job']}: {record['items']} done, {record['failed']} failed."


def _row(job: Job, last: runs.Shown | None, now: datetime) -> dict[str, Any]:
    return {
        "job": job.name,
        "every": clock.format_duration(job.every),
        "last": last and last.slot,
        "state": last and last.state,
        "items": last and last.items,
        "failed": last and last.failed,
        "error": last and last.error,
        "next": slots.following(job, now),
        "what": job.sentence,
    }


def _failures(work: Work) -> list[dict[str, Any]]:
    names = {one.id: one.slug for one in tenants.listing(work)}
    return [{"tenant": names[one.tenant_id], **one.facts} for one in items.failures(work)]


def _leader(leader: Leader | None) -> dict[str, Any] | None:
    return None if leader is None else {"owner": leader.owner, "until": leader.until, "holds": leader.holds}


def _led(leader: Leader | None) -> str:
    if leader is None or not leader.holds:
        return "Nobody runs the jobs now. Start: scim-service worker, or serve without --no-jobs."
    return f"Led by {leader.owner}."
