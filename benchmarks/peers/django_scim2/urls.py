"""The peer's addresses under /scim/v2, and who may come in: whoever has the one token."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from typing import Any

from django.urls import include, path

urlpatterns = [path("scim/v2/", include("django_scim.urls", namespace="scim"))]
EXPECTED = f"Bearer {os.environ.get('BENCH_TOKEN', '')}"


class Agent:
    """The caller."""

    is_authenticated = True


class Nobody:
    """Who has no token."""

    is_authenticated = False


def token_middleware(answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Compare the token, without a question to the database."""

    def entered(request: Any) -> Any:
        is_right = hmac.compare_digest(request.headers.get("Authorization", ""), EXPECTED)
        request.user = Agent() if is_right else Nobody()
        return answer(request)

    return entered
