"""THE COMMAND LINE. `scim-service …`: each command opens one transaction, calls one use case, and prints.

Here: the words and options of the commands (a file per group of them), how they print (`output.py`), how they open the
database (`opening.py`), the web server of `serve` (`server.py`), and what the demo consists of (`demo_data.py`).
Not here: any rule of the domain; a command that has to decide something belongs into the room that knows.
Called by the person at the terminal, and by nothing else.

The one surprise: a command's module is imported when the command is called, so `--help` opens nothing (`program.py`).

One more command: a function in the file of its group, with an example in its docstring; a new group also gets its
line in `program.SECTIONS`. It prints a table and, with `--json`, the same as JSON; it refuses with one sentence and
status 2.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Exits 0, or 2 after one sentence on standard error."""
    from scim_service.cli import program

    program.root.main(arguments, prog_name="scim-service")
