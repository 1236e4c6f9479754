"""A BLACK BOX: says from outside whether a SCIM server holds what identity providers need. Nothing of the service here.

Here: `client` (one HTTP connection), `matching` and `judging` (how JSON, and an answer, differ from what was
expected), `recording`, `recording_file` and `variables` (word for word what a provider said, replayed), `recordings/`
(those files), `idps/` (each provider's conversation), `simulate` (plays one of them and reads back all that was
written), `readback`, `report`, `slowest`, `progress`.
Not here: any import of `scim_service`, and anything but the standard library: this runs against every SCIM server.

Who calls: `python -m conformance.recording`, `python -m conformance.simulate`, the command line, the tests.
The one surprise: a simulation keeps its own model of what must be there and changes it only for what was answered with
success, so a difference is always the server's.

One more provider: recordings in a folder of its name, each with the profile of the connection that it speaks through
(`rfc` where nothing about it differs); to be played as well, `idps/NAME.py` with a `Provider` and its line in
`simulate.PROVIDERS`.
"""
