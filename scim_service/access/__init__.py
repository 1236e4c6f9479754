"""WHO MAY COME IN. Tenants, the connections of identity providers, and their credentials.

Here: making and finding a tenant (`tenants.py`) with its plan (`plans.py`) and settings (`tenant_settings.py`), a
connection with its profile (`connections.py`), tokens that are shown once and stored as hashes (`credentials.py`), the
count of failed attempts (`attempts.py`), administrators (`admins.py`) and what each role may do (`roles.py`),
invitations as rows (`invitations.py`), when they are reminded of (`ladders.py`) and the links that answer them
(`links.py`).
Not here: what a caller may do with a resource, and HTTP headers; the doors read those and ask here.
Called by the doors and the command line.

The one surprise: a credential is found before its tenant is known, so its look-up is one of the few statements that
look across tenants. The tenant of everything after that comes from the credential alone (reliability.md T1).

One more role, or one more thing that a role may do: a row in `roles.py`, and a line in its test. One more plan or
feature of a plan: a row in `plans.py`.
One more kind of credential: a function that turns what arrived into a `Caller`, tried in `credentials.authenticate`.
"""
