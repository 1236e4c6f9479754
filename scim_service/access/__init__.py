"""WHO MAY COME IN. Tenants, the connections of identity providers, and their credentials.

Here: making and finding a tenant (`tenants.py`), a connection with its profile (`connections.py`), tokens that are
shown once and stored as hashes (`credentials.py`), and the count of failed attempts (`attempts.py`).
Not here: what a caller may do with a resource, and HTTP headers; the doors read those and ask here.
Called by the doors and the command line.

The one surprise: a credential is found before its tenant is known, so its look-up is one of the few statements that
look across tenants. The tenant of everything after that comes from the credential alone (reliability.md T1).

One more kind of credential: a function that turns what arrived into a `Caller`, tried in `credentials.authenticate`.
"""
