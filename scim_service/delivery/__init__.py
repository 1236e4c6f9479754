"""WHAT WE TELL THE WORLD. Letters, and the outbox that they wait in.

Here: `outbox.py` (a message is a row, written in the transaction of the change that it tells of), `letters/` (one
function for each letter, in English and French), `compose.py` (a letter becomes a mail), `smtp.py` (how it leaves).
Not here: when something is to be told. The use cases write their messages themselves; `jobs` delivers them.
Called by `access`, `licensing`, `directory` to post, and by `jobs` to deliver.

The one surprise: a message holds no link and no secret. What a link needs is looked up and made when it is sent, and
whether it is still true is asked again then (licensing.md 4.7, reliability.md F11).

One more letter: a function in `letters/`, in its table, with a sample in the tests; and in `jobs` what has to be true
for it to be sent.
"""
