"""A whole service for each test."""

from __future__ import annotations

import pytest

from scim_service.storage.store import Store
from tests import service
from tests.service import Cast


@pytest.fixture
def cast(store: Store) -> Cast:
    """Acme and Globex on a fresh database."""
    return service.assemble(store)
