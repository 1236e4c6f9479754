"""The mailbox of `demo`: letters that were sent are shown, with links that work; `serve` has no such thing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from scim_service.app import create_app
from scim_service.delivery import smtp
from scim_service.delivery.letters import LETTERS, samples
from scim_service.endpoints import mailbox
from scim_service.jobs import outbox
from scim_service.jobs.job import Context, Report
from scim_service.storage.store import Store
from tests import service
from tests.posted import Post

ADDRESSES = ("/demo/mailbox", "/demo/mailbox/1", "/demo/mailbox/1/html", "/demo/letters", "/demo/letters/welcome/en")


@pytest.fixture
def post(store: Store) -> Post:
    made = Post(service.assemble(store), smtp.MAILBOX)
    made.clear()
    return made


@pytest.fixture
def browser(post: Post) -> FlaskClient:
    """A browser on the machine that the demo runs on."""
    settings = replace(service.settings(post.cast.store.database.url), smtp_url=smtp.MAILBOX)
    return create_app(settings, post.cast.store, (mailbox.blueprint,)).test_client()


def sent(post: Post) -> int:
    """One round of the job, as the demo runs it; the number of the letter that it sent."""
    settings = replace(service.settings(post.cast.store.database.url), smtp_url=smtp.MAILBOX)
    now = post.cast.store.clock.now()
    assert outbox.run(Context(post.cast.store, settings, now, now)) == Report(1, 0)
    return post.entries()[-1].seq


def test_a_letter_that_was_sent_is_in_the_mailbox(post: Post, browser: FlaskClient) -> None:
    assert "There is no letter yet." in browser.get("/demo/mailbox").text
    post.write("ann@acme.example")
    assert "ann@acme.example" not in browser.get("/demo/mailbox").text
    number = sent(post)
    listed = browser.get("/demo/mailbox").text
    assert "ann@acme.example" in listed and "Welcome to Acme" in listed
    assert f"/demo/mailbox/{number}/html" in browser.get(f"/demo/mailbox/{number}").text
    assert "Your address is confirmed" in browser.get(f"/demo/mailbox/{number}/html").text
    assert "Your address is confirmed" in browser.get(f"/demo/mailbox/{number}?view=text").text


@pytest.mark.parametrize(("query", "header", "spoken"), [("", "fr-CA", "fr"), ("?lang=en", "fr", "en"), ("", "", "en")])
def test_the_pages_speak_the_readers_language(browser: FlaskClient, query: str, header: str, spoken: str) -> None:
    page = browser.get(f"/demo/mailbox{query}", headers={"Accept-Language": header}).text
    assert f'<html lang="{spoken}">' in page
    assert mailbox.WORDS[spoken]["mailbox"] in page


def test_every_letter_can_be_looked_at_in_both_languages(browser: FlaskClient) -> None:
    listed = browser.get("/demo/letters").text
    for name in LETTERS:
        for spoken in ("en", "fr"):
            assert f"/demo/letters/{name}/{spoken}" in listed
            assert f'<html lang="{spoken}">' in browser.get(f"/demo/letters/{name}/{spoken}/html").text
    assert samples.LINKS["link"] in browser.get("/demo/letters/invitation/en?view=text").text


@pytest.mark.parametrize("address", ["/demo/mailbox/99", f"/demo/mailbox/{2**70}", "/demo/letters/none/en"])
def test_what_is_not_there_is_not_found(browser: FlaskClient, address: str) -> None:
    assert browser.get(address).status_code == 404
    assert browser.get("/demo/letters/welcome/de").status_code == 404


def test_no_letter_runs_or_loads_anything(post: Post, browser: FlaskClient) -> None:
    post.write("ann@acme.example", letter="head_handed_over", facts={"to": "<script>alert(1)</script>"})
    with post.cast.writing() as work:
        from scim_service.access import admins

        admins.add(work, "ann@acme.example", "Ann", "administrator")
        admins.accept(work, "ann@acme.example")
    settings = replace(service.settings(post.cast.store.database.url), smtp_url=smtp.MAILBOX)
    now = post.cast.store.clock.now()
    outbox.run(Context(post.cast.store, settings, now, now))
    number = next(one.seq for one in post.entries() if one.letter == "head_handed_over")
    page, frame = browser.get(f"/demo/mailbox/{number}"), browser.get(f"/demo/mailbox/{number}/html")
    text = browser.get(f"/demo/mailbox/{number}?view=text")
    for answer in (page, frame, text):
        assert "<script" not in answer.text
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
    assert frame.headers["Content-Security-Policy"] == mailbox.LETTER_POLICY
    assert page.headers["Content-Security-Policy"] == mailbox.PAGE_POLICY
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
    assert not re.search(r'(src|href)="https?://', page.text)


def test_letters_are_shown_to_the_machine_of_the_demo_only(post: Post, browser: FlaskClient) -> None:
    for address in (*ADDRESSES, "/demo/style.css"):
        assert browser.get(address, environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 404


def test_serve_has_no_mailbox(post: Post) -> None:
    browser = post.cast.app.test_client()
    assert {browser.get(address).status_code for address in ADDRESSES} == {404}
