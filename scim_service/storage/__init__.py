"""WHERE IT IS KEPT. The only room that opens a database.

Here live the tables (`tables/`, one file per room that owns them), the engines and their pragmas (`database.py`), the
one transaction of a request (`store.py`, `work.py`), filters as SQL (`filter_sql.py`, `comparing.py`) over index rows
(`index_rows.py`), pages (`paging.py`), who is in which group (`closure.py`), migrations, backups and bringing them back
(`backup.py`, `restoring.py`), and the way to another database (`copying.py`).
Not here: any rule about people, seats or tokens; those rooms write their own statements against these tables.
Called by every room to the left; opened only by the doors (a view, a job, a command).

The one surprise: a statement on a tenant table that does not compare `tenant_id` raises, in tests and in production
(`guard.py`); the few that must look across tenants say so with `across_tenants=True`.

One more table: add it to the file of its room in `tables/`, then a migration beside the others, then run
`scim-service db check`, which compares the two.
"""
