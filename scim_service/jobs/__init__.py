"""WHAT HAPPENS BY THE CLOCK. A table of jobs, each a function of `now`; APScheduler only wakes them.

Here: the table (`table.py`), what a job is given and tells (`job.py`), the scheduler of a process (`running.py`), and
one file for each job that is more than a call. Not here: what a job does to people, seats or letters; those rooms do
it, in transactions that the job opens, one for each item, so that a bad one holds up no other.
Called by `serve`, `demo` and `worker`, and by `jobs run`.

The one surprise: the lazy clock lets seats lapse when a request comes (licensing.md I-10); the job `clock` does the
same for tenants whom nobody asks. Running any job twice, or in several processes, changes nothing more.

One more job: a function, a row in `table.py`, a test with a clock of its own.
"""

from scim_service.jobs.running import CLOCK_SECONDS, Jobs, tick_due

__all__ = ["CLOCK_SECONDS", "Jobs", "tick_due"]
