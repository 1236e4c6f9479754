"""PEOPLE AND GROUPS. The use cases that SCIM clients and administrators have for them.

Here: people (`users.py`), what an administrator does with them (`people.py`, with their `accounts.py` and `grants.py`),
invitations (`invitations.py`; what links answer in `answers.py`, the clock's part in `reminders.py`), whether addresses
are theirs (`verifications.py`), what they are written to (`letters.py`),
groups (`groups.py`), who is in which (`members.py`), how a stored document becomes an answer (`documents.py`,
`relations.py`), lists (`listing.py`), and what stays ended after a backup was restored (`restored.py`).
Not here: HTTP, provider habits, and every question about seats. When people come, go, or change activity, this room
writes its own rows first and then tells `licensing.seats`.
Called by the doors and the command line, with a `Work` as the first argument.

The one surprise: a group's members are never in its document. They are rows, changed by deltas under the group's row
lock, so that a change costs the same in a group of ten and of ten thousand (house.md part 3).

Locks are taken in one order: invitations, the tenant's row, groups by seq, people by seq, the tenant's licensing row,
counters (decision 19). The tenant's row is for who changes which group is in which, or gives a group a name that a rule
may wait for; whoever finds that out too late is undone and runs again with it (`closure.need_nesting_lock`).
"""
