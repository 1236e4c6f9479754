"""WHO HOLDS A SEAT. The reason why this service exists: licenses under caps, decided from claims, capacity and time.

Here: what is sold (`catalog.py`), what was bought (`contracts.py`, `capacity.py`), which groups give which types
(`rules.py`), the reasons a person has for a type (`claims.py`), the pure decision (`resolve.py`), the gate that alone
carries it out (`seats.py`, with its rows in `assignments.py`), what an administrator does by hand (`direct.py`), and
what can be asked (`shown.py`, `usage.py`, `explain.py`).
Not here: people and groups. This room reads the tables of `directory` and never writes them (decision 31).
Called by `directory` when people come, go or change activity, and by the doors.

The one surprise: nobody writes an assignment. A caller enters the gate (`seats.enter`, which locks the tenant's
licensing row and first lets pass what time alone has decided), changes claims or capacity, and settles; the gate
resolves the people who were touched and whoever stands at the head of a queue that moved.

One more reason to hold a type: a source of claim in `claims.py`, an event that makes and ends it through the gate, a
word for it in `shown.py`. One more state: `resolve.py` first, with a row in the table of its test.
"""
