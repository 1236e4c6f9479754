"""The measure of a check: both doors are asked about the same people, and both must answer."""

from __future__ import annotations

import pytest

from benchmarks import check
from scim_service.storage.store import Store
from tests import service


def test_both_doors_are_timed_and_everybody_asked_about_is_licensed(store: Store) -> None:
    read, checked = check.measure(store, 6, 8)
    assert read > 0 and checked > 0


def test_a_refusal_is_no_measure(store: Store) -> None:
    cast = service.assemble(store)
    with pytest.raises(SystemExit, match="answered 404"):
        check._timed(cast, "/scim/v2/Users/nobody", cast.acme.token)
