"""Whether an answer is what the OpenAPI document promises; every answer that a test gets over SCIM is asked so."""

from __future__ import annotations

import functools
import re
from typing import Any

import jsonschema_rs

from scim_service.protocol import openapi

DOCUMENT = openapi.document("http://localhost/scim/v2", "0", True)
PLACES = [
    (re.compile(re.sub(r"\{\w+\}", "[^/]+", re.escape(path).replace(r"\{", "{").replace(r"\}", "}"))), path)
    for path in sorted(DOCUMENT["paths"], key=lambda path: "{" in path)
]


def check(method: str, path: str, status: int, media_type: str | None, body: Any) -> None:
    """Raise AssertionError for an answer to `method` at `path` (under the prefix) that was not promised."""
    operation = _operation(method, path.partition("?")[0] or "/")
    if operation is None or method == "HEAD":
        return
    promised = operation["responses"]
    key = str(status) if str(status) in promised else f"{status // 100}XX"
    assert key in promised, f"{method} {path} answered {status}, which is not promised"
    if body is None:
        return
    content = promised[key].get("content")
    assert content is not None and media_type in content, f"{method} {path}: {status} with {media_type} is not promised"
    errors = [str(one) for one in _validator(content[media_type]["schema"]["$ref"]).iter_errors(body)]
    assert errors == [], f"{method} {path}: {errors[0][:2_000]}"


def _operation(method: str, path: str) -> Any:
    for pattern, name in PLACES:
        if pattern.fullmatch(path):
            return DOCUMENT["paths"][name].get(method.lower())
    return None


@functools.lru_cache
def _validator(ref: str) -> Any:
    return jsonschema_rs.Draft202012Validator({"$ref": ref, "components": DOCUMENT["components"]})
