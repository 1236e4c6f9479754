"""HTTP IN, HTTP OUT. With `app.py` the only room that knows Flask.

Here: who is calling (`auth.py`), what every request passes through (`door.py`), how refusals look (`failures.py`),
health (`health.py`), proxies (`proxies.py`), and the SCIM resources (`scim/`). A view reads the request, opens one
transaction, calls one use case, and answers after the commit.
Not here: rules about people, groups, seats or tokens; those rooms know nothing of HTTP.
Called by `app.create_app`.

The one surprise: a view may run up to four times (`door.again`): a deadlock or a lost race is undone and tried anew,
which nobody sees as the answer is made last (reliability.md G7).

One more route under the SCIM prefix: a view in `scim/` on its blueprint; the door closes and limits it by itself.
"""
