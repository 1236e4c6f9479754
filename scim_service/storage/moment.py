"""The database's own time: what several hosts agree upon whatever their clocks say (reliability.md G8, F12)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from scim_service.storage.tables.columns import Instant


class moment(FunctionElement[Any]):
    """The instant at which the statement runs, moved by a number of seconds."""

    type = Instant()
    inherit_cache = True

    def __init__(self, seconds: sa.ColumnElement[Any]) -> None:
        super().__init__(seconds)


@compiles(moment, "sqlite")
def _sqlite(element: moment, compiler: Any, **options: Any) -> str:
    """As SQLite keeps an instant: text with six places of a second."""
    seconds = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {seconds} || ' seconds')"


@compiles(moment, "postgresql")
def _postgresql(element: moment, compiler: Any, **options: Any) -> str:
    """The wall clock of the server, which goes on within a transaction."""
    seconds = compiler.process(element.clauses, **options)
    return f"clock_timestamp() + make_interval(secs => {seconds})"
