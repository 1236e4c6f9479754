"""The commands `import` and `export`: people and licenses from and to CSV files."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

import click

from scim_service import errors
from scim_service.cli import arguments, opening, output
from scim_service.cli.opening import Service
from scim_service.cli.previews import Beside
from scim_service.directory import imports, sheets
from scim_service.directory.imports import Result
from scim_service.directory.sheets import Row, Sheet
from scim_service.licensing import facts

NO_ROW = "The file has no row."
ROWS_REFUSED = 3
"""The exit status where some rows were refused, the others done."""


@click.command("import")
@arguments.slug
@click.argument("file", type=click.File("rb"))
@arguments.preview
@arguments.as_json
def import_(slug: str, file: BinaryIO, dry_run: bool, version: str | None, as_json: bool) -> None:
    """Make people and give or take back licenses, row by row, from a CSV file in UTF-8. Try it with --dry-run first.

    The first line names columns: email, given_name, family_name, license_type, action (add, remove), notify,
    expires_at. The address is the userName. The same file again changes nothing more; rows that were refused are tried
    again, and the exit status is 3 where there are any. Each row is done alone; with --version all of them at once, or
    none.

    \b
    Example:
      scim-service import acme people.csv --dry-run
    """
    sheet = sheets.read(file.read(sheets.MOST_BYTES + 1))
    if dry_run or version is not None:
        found = opening.change_previewed(
            slug,
            lambda work: imports.carry_out_all(work, sheet),
            dry_run=dry_run,
            version=version,
            as_json=as_json,
            beside=lambda would: _rehearsed(would, as_json),
        )
    else:
        with opening.service() as service:
            found = [_carried_out(service, slug, sheet, row) for row in sheet.rows]
    output.listing([_row(one) for one in found], as_json, NO_ROW)
    if not as_json:
        click.echo(_sum(found), err=True)
    sys.exit(_status(found))


@click.command()
@arguments.slug
@arguments.any_type
@click.option("--state", type=click.Choice(facts.STATES), help="Only this state.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of CSV.")
def export(slug: str, type_code: str | None, state: str | None, as_json: bool) -> None:
    """Write who has a license, or waits for one, as CSV to the standard output. What looks like a formula is quoted.

    \b
    Example:
      scim-service export acme --type professional > people.csv
    """
    found = opening.ask_about_seats(slug, lambda work: imports.exported(work, type_code, state))
    if as_json:
        output.listing(found, as_json, "")
    else:
        click.echo(sheets.written(found, imports.EXPORTED).encode(), nl=False)


def _rehearsed(found: Sequence[Result], as_json: bool) -> Beside:
    """What each row would come to, beside the preview of the seats."""
    rows = [_row(one) for one in found]
    if not as_json:
        click.echo(f"Dry run, nothing was changed: {_sum(found)}", err=True)
    return Beside(output.table(rows) if rows else NO_ROW, {"rows": rows}, _status(found))


def _sum(found: Iterable[Result]) -> str:
    counted = Counter(one.result for one in found)
    return ", ".join(f"{counted[name]} {name}" for name in (imports.DONE, imports.AGAIN, imports.REFUSED)) + "."


def _status(found: Iterable[Result]) -> int:
    return ROWS_REFUSED if any(one.result == imports.REFUSED for one in found) else 0


def _carried_out(service: Service, slug: str, sheet: Sheet, row: Row) -> Result:
    """One row in a transaction of its own."""
    try:
        return service.change(slug, lambda work: imports.carry_out(work, sheet, row))
    except errors.ScimError as error:
        return imports.refused(row, error)


def _row(one: Result) -> dict[str, Any]:
    return {
        "row": one.row,
        "user": one.user,
        "action": one.action,
        "type": one.type_code,
        "result": one.result,
        "state": one.state,
        "detail": one.detail,
    }
