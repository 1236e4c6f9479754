"""Which address and scheme a request came from, when a proxy that is named in the settings passed it on."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    """Believes X-Forwarded-For, -Proto and -Host of the nearest proxy if its address is in `networks`, else none."""

    def __init__(self, app: WSGIApplication, networks: Sequence[Network]) -> None:
        self._plain = app
        self._behind = ProxyFix(app, x_for=1, x_proto=1, x_host=1)
        self._networks = networks

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        app: Any = self._behind if within(environ.get("REMOTE_ADDR", ""), self._networks) else self._plain
        answer: Iterable[bytes] = app(environ, start_response)
        return answer


def within(address: str, networks: Sequence[Network]) -> bool:
    """Whether the address is one of these networks'; text that is no address is in none."""
    parsed = _parsed(address) if networks else None
    return parsed is not None and any(parsed.version == one.version and parsed in one for one in networks)


def is_loopback(address: str | None) -> bool:
    """Whether a request came from this machine itself."""
    parsed = _parsed(address or "")
    return parsed is not None and parsed.is_loopback


@functools.lru_cache(1024)
def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None
