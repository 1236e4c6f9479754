"""Everybody is written to in the language that they, or else their tenant, have chosen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_service.access.tenant_settings import TenantSettings
from scim_service.delivery import languages

FRENCH = TenantSettings({"language": "fr"})
ENGLISH = TenantSettings({"language": "en"})


@pytest.mark.parametrize(
    ("told", "spoken"),
    [
        ("fr", "fr"),
        ("FR-ca", "fr"),
        ("fr_FR", "fr"),
        ("en-GB", "en"),
        ("de, fr;q=0.8, en;q=0.5", "fr"),
        ("en;q=0.2, fr-CH;q=0.9", "fr"),
        ("fr;q=0, en;q=0.1", "en"),
        ("fr;q=many, en", "en"),
    ],
)
def test_N_9_a_person_is_written_to_in_the_language_told(told: str, spoken: str) -> None:
    other = FRENCH if spoken == "en" else ENGLISH
    assert languages.of_person({"preferredLanguage": told}, other) == spoken


@pytest.mark.parametrize("told", ["", "de", "frisian", "friulian, english", "*", None])
def test_N_9_else_in_the_tenants_language_and_else_in_english(told: str | None) -> None:
    document = {} if told is None else {"preferredLanguage": told}
    assert languages.of_person(document, FRENCH) == "fr"
    assert languages.of_person(document, TenantSettings({"language": "de"})) == "en"
    assert languages.of_tenant(FRENCH) == "fr"


@given(st.text())
def test_N_9_any_text_in_the_attribute_comes_to_a_language_that_exists(told: str) -> None:
    assert languages.of_person({"preferredLanguage": told}, FRENCH) in languages.LANGUAGES
