"""How mail leaves: by a mail server, or into the mailbox of `demo`, behind one small interface.

A session takes letters one by one and tells of each what became of it (decision 35): sent; later, where the server, its
credentials or the network are in trouble; never, where the server will not have the recipient. No transaction is open
meanwhile; whoever calls sees to that.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote, urlsplit

from scim_service.config import SMTP_PORTS, Settings
from scim_service.delivery import compose
from scim_service.delivery.compose import Mail

SENT, LATER, NEVER = "sent", "later", "never"

CONNECT_SECONDS = 10.0
SESSION_SECONDS = 60.0
"""After so long a session is cut, whatever the server is doing (reliability.md F11)."""

MAILBOX = "mailbox:"
"""What `demo` has in place of a mail server's URL; it cannot come from the environment."""

REASON_CHARACTERS = 300
CLOSING = 421
OURS = frozenset({500, 502, 503, 530, 534, 535, 538})
"""Refusals of a command that are about this service and its credentials, whichever command they come at."""


class Trouble(Exception):
    """There is no session to be had now: the server cannot be reached, or does not want us. The text says why."""


@dataclass(frozen=True)
class Answer:
    """What became of a letter; `reason` in the server's words. `over`: the session has ended. `ours`: somebody has to
    look at this service's settings."""

    outcome: str
    reason: str = ""
    over: bool = False
    ours: bool = False


class Session(Protocol):
    """A conversation with who takes mail."""

    def send(self, mail: Mail) -> Answer:
        """Hand one mail over, and say what became of it."""


class Transport(Protocol):
    """A way for mail to leave."""

    def open(self) -> AbstractContextManager[Session]:
        """Begin a session. Raises Trouble."""


def transport(settings: Settings) -> Transport | None:
    """How mail leaves under these settings; None where nothing is set, and letters wait."""
    if settings.smtp_url == MAILBOX:
        return Mailbox()
    return None if settings.smtp_url is None else Server.of(settings.smtp_url, compose.domain(settings.mail_from))


class Mailbox:
    """The mailbox of `demo`: a letter is in it once its row says that it was sent, and is written again to be shown."""

    @contextmanager
    def open(self) -> Iterator[Session]:
        """It is always there."""
        yield self

    def send(self, mail: Mail) -> Answer:
        """It takes everything."""
        return Answer(SENT)


@dataclass(frozen=True)
class Server:
    """A mail server: how it is spoken to, where it is, and the name and password, if it wants them.

    `greeting` is the name that this service gives itself. `tls` says which certificates are believed.
    """

    scheme: str
    host: str
    port: int
    user: str
    password: str
    greeting: str
    tls: ssl.SSLContext
    connect_seconds: float = CONNECT_SECONDS
    session_seconds: float = SESSION_SECONDS

    @classmethod
    def of(cls, url: str, greeting: str) -> Server:
        """The server of SCIM_SMTP_URL, which `config` has looked at; certificates are checked."""
        parts = urlsplit(url)
        names = (unquote(parts.username or ""), unquote(parts.password or ""))
        port = parts.port or SMTP_PORTS[parts.scheme]
        return cls(parts.scheme, parts.hostname or "", port, *names, greeting, ssl.create_default_context())

    @contextmanager
    def open(self) -> Iterator[Session]:
        """Connect, greet, upgrade to TLS, sign in. Raises Trouble where any of that fails."""
        with _cut_off(self.session_seconds) as watch:
            client = self._client(watch)
            try:
                yield _Conversation(client)
            finally:
                _leave(client)

    def _client(self, watch: _Watch) -> smtplib.SMTP:
        try:
            client = self._connected()
        except (OSError, smtplib.SMTPException) as problem:
            raise Trouble(in_words(problem)) from problem
        watch.client = client
        try:
            self._let_in(client)
        except (OSError, smtplib.SMTPException) as problem:
            client.close()
            raise Trouble(in_words(problem)) from problem
        return client

    def _connected(self) -> smtplib.SMTP:
        if self.scheme == "smtps":
            return smtplib.SMTP_SSL(self.host, self.port, self.greeting, timeout=self.connect_seconds, context=self.tls)
        return smtplib.SMTP(self.host, self.port, self.greeting, timeout=self.connect_seconds)

    def _let_in(self, client: smtplib.SMTP) -> None:
        client.ehlo_or_helo_if_needed()
        if self.scheme == "smtp+starttls":
            client.starttls(context=self.tls)
            client.ehlo()
        if self.user:
            client.login(self.user, self.password)
        if client.sock is not None:
            client.sock.settimeout(self.session_seconds)


class _Conversation:
    """One session with a mail server."""

    def __init__(self, client: smtplib.SMTP) -> None:
        self._client = client

    def send(self, mail: Mail) -> Answer:
        """One mail: from whom, to whom, what. A refusal leaves the session fit for the next one, if it can be."""
        try:
            answer = self._say(mail)
            if answer.outcome != SENT and not answer.over:
                self._client.rset()
        except (OSError, smtplib.SMTPException) as problem:
            return Answer(LATER, in_words(problem), over=True)
        return answer

    def _say(self, mail: Mail) -> Answer:
        if mail.international and not self._client.has_extn("smtputf8"):
            return Answer(NEVER, "the mail server takes no address with such letters (SMTPUTF8)")
        options = ["SMTPUTF8"] if mail.international else []
        code, text = self._client.mail(mail.sender, options)
        if code != 250:
            return _answer(code, text, about_recipient=False)
        code, text = self._client.rcpt(mail.recipient)
        if code not in (250, 251):
            return _answer(code, text)
        try:
            code, text = self._client.data(mail.data)
        except smtplib.SMTPDataError as refused:
            return _answer(refused.smtp_code, refused.smtp_error)
        return Answer(SENT) if code == 250 else _answer(code, text)


def in_words(problem: Exception) -> str:
    """What went wrong on the way, in a line: the server's own words where it said some."""
    if isinstance(problem, smtplib.SMTPResponseException):
        return _line(problem.smtp_code, problem.smtp_error)
    if isinstance(problem, TimeoutError) or "timed out" in str(problem):
        return "the mail server did not answer in time"
    if isinstance(problem, smtplib.SMTPServerDisconnected | ConnectionResetError | BrokenPipeError):
        return "the mail server ended the connection"
    if isinstance(problem, ConnectionRefusedError):
        return "the mail server cannot be reached"
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"the mail server's certificate is not trusted: {problem.verify_message}"
    return f"{type(problem).__name__}: {' '.join(str(problem).split())}"[:REASON_CHARACTERS]


def _answer(code: int, text: bytes | str, about_recipient: bool = True) -> Answer:
    """What a refusal means: 4xx later; 5xx never, if it is about the recipient and not about us."""
    ours = code in OURS or (code >= 500 and not about_recipient)
    outcome = NEVER if code >= 500 and not ours else LATER
    return Answer(outcome, _line(code, text), over=code == CLOSING, ours=ours)


def _line(code: int, text: bytes | str) -> str:
    told = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    plain = "".join(one if one.isprintable() else " " for one in told)
    return f"{code} {' '.join(plain.split())}"[:REASON_CHARACTERS]


@dataclass
class _Watch:
    """The session that is to be cut off when its time is over."""

    client: smtplib.SMTP | None = None

    def cut(self) -> None:
        """End the connection under whoever is waiting for it."""
        connection = None if self.client is None else self.client.sock
        if connection is not None:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@contextmanager
def _cut_off(seconds: float) -> Iterator[_Watch]:
    """Cut the session of this block off after so long: a server that sends a byte now and then stops no letter."""
    watch = _Watch()
    timer = threading.Timer(seconds, watch.cut)
    timer.daemon = True
    timer.start()
    try:
        yield watch
    finally:
        timer.cancel()


def _leave(client: smtplib.SMTP) -> None:
    """Say goodbye, if anybody is still there."""
    try:
        client.quit()
    except (OSError, smtplib.SMTPException):
        client.close()
