"""Clients that write all the time to a running service, and know what was acknowledged."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from conformance.client import Client, Response, Unreachable
from tests import service

GROUPS = ("Everyone", "Sales", "Engineering", "Support")
"""Those that the demo's rules give licenses by, fewer than are wanted."""
KEPT = 0.7
"""How many of the people stay; the others are deleted a little later."""


class Writers:
    """Several clients of one connection: they make people, move them in and out of groups, deactivate, delete."""

    def __init__(self, base: str, token: str, number: int, seed: int) -> None:
        self._clients = [Client(base, token) for _ in range(number)]
        self._seed = seed
        self._groups: list[str] = []
        self._stop = threading.Event()
        self._guard = threading.Lock()
        self._known: dict[str, str] = {}
        self.tried: set[str] = set()
        """The userNames that were sent, acknowledged or not."""
        self.answers: list[int] = []
        self.problems: list[str] = []

    def acknowledged(self) -> set[str]:
        """The userNames of people who were made and whose deletion was not begun."""
        with self._guard:
            return set(self._known)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write as long as the block lasts; nothing may be answered that a provider would not understand."""
        self._groups = [self._sent(self._clients[0], "POST", "/Groups", {"displayName": name}) for name in GROUPS]
        threads = [
            threading.Thread(target=self._write, args=(number, client)) for number, client in enumerate(self._clients)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
            for client in self._clients:
                client.close()

    def _write(self, number: int, client: Client) -> None:
        chance = random.Random(f"{self._seed}:{number}")
        mine: list[tuple[str, str]] = []
        try:
            for part in itertools.count():
                if self._stop.is_set():
                    return
                self._turn(client, chance, f"w{self._seed}-{number}-{part}@acme.example", mine)
        except (Unreachable, AssertionError) as problem:
            self.problems.append(repr(problem))

    def _turn(self, client: Client, chance: random.Random, name: str, mine: list[tuple[str, str]]) -> None:
        """Make somebody, who joins a group, turn somebody else on or off, and perhaps delete a third one."""
        self.tried.add(name)
        made = self._sent(client, "POST", "/Users", {"schemas": [service.CORE], "userName": name})
        with self._guard:
            self._known[name] = made
        mine.append((name, made))
        group = chance.choice(self._groups)
        self._sent(client, "PATCH", f"/Groups/{group}", _patch(service.adding(made)))
        other = chance.choice(mine)
        active = {"op": "replace", "path": "active", "value": chance.random() < 0.5}
        self._sent(client, "PATCH", f"/Users/{other[1]}", _patch(active))
        if chance.random() > KEPT:
            self._delete(client, mine.pop(chance.randrange(len(mine))))

    def _delete(self, client: Client, one: tuple[str, str]) -> None:
        with self._guard:
            del self._known[one[0]]
        self._sent(client, "DELETE", f"/Users/{one[1]}")

    def _sent(self, client: Client, method: str, path: str, body: dict[str, object] | None = None) -> str:
        answer: Response = client.send(method, path, body)
        self.answers.append(answer.status)
        assert answer.status in (200, 201, 204), (method, path, answer.status, answer.body[:300])
        return str(answer.document().get("id", ""))


def _patch(*operations: dict[str, object]) -> dict[str, object]:
    return {"schemas": [service.PATCH], "Operations": list(operations)}
