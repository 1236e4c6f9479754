"""WHAT HAPPENS BY THE CLOCK. A table of jobs, each a function of `now`; APScheduler only wakes them.

Here: the table (`table.py`), what a job is given and tells (`job.py`), which slot is due (`slots.py`), who leads
(`leases.py`), the rows of runs (`runs.py`), one process's part (`worker.py`), the scheduler that wakes it
(`running.py`), items that fail each by itself (`items.py`), and one file for each job that is more than a call. Not
here: what a job does to people, seats or letters; those rooms do it, in transactions that the job opens, one for each
item. Called by `serve`, `demo` and `worker`, and by `jobs run`.

The one surprise: whoever leads may be frozen and wake up as a former leader, so a job writes through
`context.writing` or `items.isolated`, which keep nothing once somebody else leads. Running any job twice, or in several
processes, changes nothing more.

One more job: a function of a `Context` that gives a `Report`, a row in `table.py`, a test with a clock of its own. It
looks for what is due by `now` and not by its slot, as a slot may come late and stand for several.
"""

from scim_service.jobs.clock import tick_due
from scim_service.jobs.running import Jobs

__all__ = ["Jobs", "tick_due"]
