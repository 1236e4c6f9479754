"""The public pages in a real browser, without scripts: read, answered, on a small screen, in the dark."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from scim_service.access.links import VERIFICATION
from scim_service.app import create_app
from scim_service.endpoints.pages import texts
from scim_service.storage.store import Store
from tests import browser, live, service
from tests.browser import Browser
from tests.conftest import SettableClock
from tests.invited import House

Open = Callable[..., AbstractContextManager[Browser]]


@pytest.fixture
def house(store: Store, clock: SettableClock) -> House:
    return House(store, clock)


@pytest.fixture
def base(store: Store) -> Iterator[str]:
    """Where the pages are served."""
    with live.serving(create_app(service.settings(store.database.url), store)) as url:
        yield url.replace("/scim/v2", "/links")


@pytest.fixture
def window() -> Open:
    """Opens a window; a visible skip where there is no browser, a failure where one is required."""
    reason = browser.missing()
    if reason and os.environ.get(browser.REQUIRED) == "1":
        pytest.fail(f"A browser is required here: {reason}")
    if reason:
        pytest.skip(f"no browser ({reason})")
    return browser.opened


def test_BK_10_an_invited_person_accepts_and_verifies_without_scripts(house: House, base: str, window: Open) -> None:
    house.set(product_name="Lift", product_url="https://lift.example/start")
    house.invite()
    with window() as page:
        page.open(f"{base}/{house.link()}")
        assert page.title == "You are invited to Lift"
        assert "Premium" in page.text("main")
        page.press("button")
        assert page.title == texts.EN["invitation.done.title"]
        assert page.text("main a.button") == "Go to Lift"
        assert house.status() == "unverified"
        page.open(f"{base}/{house.link(VERIFICATION)}")
        page.press("footer a")
        assert page.title == texts.FR["verification.title"]
        page.press("button")
        assert page.title == texts.FR["verification.done.title"]
    assert house.status() == "active"


def test_a_page_fits_a_small_screen_and_is_read_by_who_hears_it(house: House, base: str, window: Open) -> None:
    house.set(product_name="Lift " + "Donaudampfschifffahrtsgesellschaft" * 3)
    house.invite()
    with window() as page:
        page.resize(360, 640)
        page.open(f"{base}/{house.link()}?lang=fr")
        for part in ("main", "h1", "button", "footer a"):
            found = page.rect(part)
            assert found["x"] >= 0 and found["x"] + found["width"] <= 500, part
            assert found["x"] + found["width"] <= page.rect("html")["width"], part
        assert page.rect("button")["height"] >= 44
        assert page.role("button") == ("button", texts.FR["invitation.button"])
        assert page.role("nav") == ("navigation", texts.FR["switch"])
        assert page.role("main")[0] == "main"


@pytest.mark.parametrize(("dark", "ground"), [(False, "rgba(244, 245, 247, 1)"), (True, "rgba(18, 21, 27, 1)")])
def test_a_page_is_styled_by_its_one_sheet_as_the_readers_system_is(
    house: House, base: str, window: Open, dark: bool, ground: str
) -> None:
    with window(dark=dark) as page:
        page.open(f"{base}/nothing")
        assert page.style("body", "background-color") == ground
        assert page.title == texts.EN["404.title"]
