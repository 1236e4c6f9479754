"""HTTP IN, HTTP OUT. With `app.py` the only room that knows Flask.

Here: which doors there are (`doors.py`: SCIM's, and the product's), who is calling (`auth.py`), what every request
passes through (`door.py`), how refusals look (`failures.py`), health (`health.py`), proxies (`proxies.py`), the SCIM
resources (`scim/`), the questions of the product (`api/`), and the pages of links in letters (`pages/`). A view reads
the request, opens one transaction, calls one use case, and answers after the commit.
Not here: rules about people, groups, seats or tokens; those rooms know nothing of HTTP.
Called by `app.create_app`.

The one surprise: a view may run up to four times (`door.again`): a deadlock or a lost race is undone and tried anew,
which nobody sees as the answer is made last (reliability.md G7).

One more route under a prefix: a view in `scim/` or `api/` on its blueprint; the door closes and limits it by itself.
One more door: a row in `doors.py`, the form of its refusals in `failures.FORMS`, its blueprint in `app.create_app`.
"""
