"""WHAT THE RFCs SAY. Pure: no Flask, no database, no name of an identity provider.

Here live the schemas that are served and obeyed (`schemas/*.json`, `schema.py`), attribute names and paths (`names.py`,
`paths.py`), filters as typed trees (`filters.py`, `tree.py`) and what they mean for a document (`matching.py`), PATCH
(`patch.py`), what a payload may hold (`validation.py`), what an answer shows (`rendering.py`), the messages around
resources (`messages.py`), what is asked of a list (`searching.py`), where a walk goes on (`cursors.py`), bulk requests
and their order (`bulk.py`), what tools read of all this (`openapi.py`), the forms of text (`text.py`) and every limit
(`limits.py`).
Not here: what an identity provider does differently (`idp/`), and anything that remembers. Called by every room to the
left.

The one surprise: the JSON documents are the program. An attribute's type, mutability, returned, required, caseExact and
uniqueness are read from the same file that /Schemas answers with, so nothing can be advertised that is not done.

One more attribute: add it to its schema's file. One more resource type: a schema's file, a line in
`schemas/resource_types.json`, and a constant in `schema.py`.
"""
