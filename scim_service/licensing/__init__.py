"""WHO HOLDS A SEAT. The reason why this service exists: licenses under caps, decided from claims, capacity and time.

Here: what is sold (`catalog.py`), what was bought (`contracts.py`, `capacity.py`, `drops.py`, `overage.py`), which
groups give which types (`rules.py`, `rule_rows.py`, `given.py`), which attributes do (`attributes.py`, `authority.py`),
the reasons a person has for a type (`claims.py`), the pure decision (`facts.py`, `order.py`, `standing.py`,
`others.py`, `resolve.py`), the gate that alone carries it out (`gate.py`, with its rows in `assignments.py`, its events
in `happenings.py`, what time alone decides in `passing.py` and the brake in `parking.py`), what happens to people and
groups (`seats.py`), what an administrator does by hand (`direct.py`, `lifecycle.py`, `conversion.py`), and what can be
asked (`shown.py`, `usage.py`, `permissions.py`, `verify.py`, `replay.py`, `checks.py` for the product, and `explain.py`
with `paths.py`, `obstacles.py`, `numbers.py`, `ends.py`, `change.py` for the data, `words.py` and `sentences.py` for
the words). What has to be told: `letters.py` and `net.py` say what of a change, `notices.py` posts it when the gate is
left (`alerts.py`: seats that run low, `removal_notices.py`: mass removals); `contract_steps.py`, `contract_notices.py`,
`digest.py`, `reclaim_asks.py` and `healing.py` are for jobs, and `still_true.py` is asked when a letter leaves.
Not here: people and groups. This room reads the tables of `directory` and never writes them (decision 31).
Called by `directory` when people come, go or change activity, and by the doors.

The one surprise: nobody writes an assignment. A caller enters the gate (`gate.enter`, which locks the tenant's
licensing row and first lets pass what time alone has decided), changes claims, suspensions or capacity, and settles;
the gate resolves the people who were touched and whoever stands at the head of a queue that moved.

One more reason to hold a type: a source of claim in `claims.py`, an event that makes and ends it through the gate, a
word for it in `shown.py` and `sentences.py`. One more state or reason: `facts.py` and `standing.py` first, then a
sentence in `sentences.py` and a case in its test.
"""
