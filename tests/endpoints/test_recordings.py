"""Every recording of an identity provider's habits, replayed over HTTP on both databases."""

from __future__ import annotations

import pytest

from conformance import recording
from conformance.client import Client
from scim_service import idp
from tests.live import serving
from tests.service import Cast

RECORDINGS = recording.shipped()


@pytest.mark.parametrize("which", RECORDINGS, ids=lambda one: one.name)
def test_the_service_answers_as_the_provider_needs(cast: Cast, which: recording.Recording) -> None:
    with serving(cast.app) as base, Client(base) as client:
        outcomes = list(recording.replay(client, which, {"token": cast.tokens[which.profile]}))
    assert len(outcomes) >= len(which.exchanges)
    assert [str(outcome) for outcome in outcomes if not outcome.ok] == []


def test_there_are_enough_of_them_for_every_profile_that_is_a_providers() -> None:
    exchanges = {name: sum(len(one.exchanges) for one in recording.shipped(name)) for name in idp.PROFILES}
    assert exchanges["okta"] >= 20 and exchanges["entra"] >= 25
