"""Carries one SCIM request over one kept-alive connection and brings back what was answered, whatever it was.

Nothing is retried, no redirect is followed, no host but the given one is spoken to: a check must see the first answer.
"""

from __future__ import annotations

import functools
import gzip
import http.client
import json
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

SCIM_JSON = "application/scim+json"
ANSWER_LIMIT = 64 * 1024 * 1024
"""Bytes that are read of one answer; a list page is far below, and a broken server shall not fill our memory."""


class Unreachable(Exception):
    """No HTTP answer came at all: connection refused, broken, timed out, or not HTTP."""


@dataclass(frozen=True)
class Response:
    """One answer: status, headers with lower-case names, and the body after any content encoding is undone."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one when there is no body or it holds something else."""
        try:
            parsed = json.loads(self.body) if self.body else {}
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}


class Client:
    """Speaks to the SCIM server at `base`, such as `https://host/scim/v2`; use one per thread.

    `token` is sent as a bearer token with each request that names no Authorization of its own. A query at the end of
    `base` (as in Entra's tenant URL) is sent with every request. `timeout` is in seconds and bounds each wait.
    """

    def __init__(
        self,
        base: str,
        token: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._again = functools.partial(Client, base, token, headers=headers, timeout=timeout, context=context)
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{base!r} is not a base URL; give one like http://127.0.0.1:8080/scim/v2")
        self._prefix = parts.path.rstrip("/")
        self._query = parts.query
        self._headers = dict(headers or {})
        if token is not None:
            self._headers.setdefault("Authorization", f"Bearer {token}")
        self._connection = _connection(parts.scheme, parts.hostname, parts.port, timeout, context)

    def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Response:
        """The answer to exactly this request; `path` is relative to the base, already percent-encoded.

        Raises Unreachable when no answer came. The next request then opens a new connection.
        """
        try:
            self._connection.request(method, self._target(path), body=body, headers=self._merged(headers))
            answer = self._connection.getresponse()
            data = answer.read(ANSWER_LIMIT + 1)
        except (OSError, http.client.HTTPException) as problem:
            self._connection.close()
            raise Unreachable(f"{method} {path}: {type(problem).__name__}: {problem}") from problem
        if len(data) > ANSWER_LIMIT:
            self._connection.close()
            raise Unreachable(f"{method} {path}: the answer is longer than {ANSWER_LIMIT} bytes")
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Response(answer.status, names, _decoded(data, names.get("content-encoding", "")))

    def send(self, method: str, path: str, payload: Any = None) -> Response:
        """The answer to a request whose body is `payload` as JSON, or that has no body when it is None."""
        if payload is None:
            return self.request(method, path)
        return self.request(
            method, path, {"Content-Type": f"{SCIM_JSON}; charset=utf-8"}, json.dumps(payload).encode("utf-8")
        )

    def another(self) -> Client:
        """A client of the same server over a connection of its own, for another thread."""
        return self._again()

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _target(self, path: str) -> str:
        if not self._query:
            return self._prefix + path
        return f"{self._prefix}{path}{'&' if '?' in path else '?'}{self._query}"

    def _merged(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        given = dict(headers or {})
        named = {name.lower() for name in given}
        return {name: value for name, value in self._headers.items() if name.lower() not in named} | given


def _connection(
    scheme: str, host: str, port: int | None, timeout: float, context: ssl.SSLContext | None
) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout)
    return http.client.HTTPSConnection(host, port, timeout=timeout, context=context or ssl.create_default_context())


def _decoded(data: bytes, encoding: str) -> bytes:
    """The plain body. Okta asks for gzip and deflate, so a proxy before the server may have packed it."""
    try:
        if encoding.lower() == "gzip":
            return gzip.decompress(data)
        if encoding.lower() == "deflate":
            return zlib.decompress(data)
    except (OSError, EOFError, zlib.error) as problem:
        raise Unreachable(f"the answer says {encoding} and is not: {problem}") from problem
    return data
