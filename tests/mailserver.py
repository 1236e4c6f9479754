"""A real mail server on loopback that can be told to misbehave, at each command, in each way (reliability.md F11)."""

from __future__ import annotations

import asyncio
import datetime
import email
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session, syntax
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "mailer", "a password with % and @"
CUT = "cut"
"""In place of an answer: the connection is closed without a word."""


@dataclass
class Received:
    """One mail as it came; `accepted`: the server has it; `answered`: and said so."""

    sender: str
    recipients: list[str]
    message: EmailMessage
    accepted: bool
    answered: bool

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])


@dataclass
class Behavior:
    """What the server does: an answer by command (`MAIL`, `RCPT`, `DATA`, `STARTTLS`, `AUTH`), or CUT.

    `seconds` is how long each mail takes. `by_recipient` wins over `answers`, for RCPT. `first` is how often it
    misbehaves before it is well again; None: always.
    """

    answers: dict[str, str] = field(default_factory=dict)
    by_recipient: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    first: int | None = None

    def answer(self, command: str, recipient: str = "") -> str | None:
        """What to say instead of yes."""
        found = self.by_recipient.get(recipient) or self.answers.get(command)
        if found is None or self.first == 0:
            return None
        if self.first is not None:
            self.first -= 1
        return found


class _Post:
    """What comes in, and what is said to it."""

    def __init__(self, behavior: Behavior) -> None:
        self.behavior = behavior
        self.received: list[Received] = []
        self.lock = threading.Lock()

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await _said(server, self.behavior.answer("MAIL"), "250 OK")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self.behavior.answer("RCPT", address)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return await _said(server, refusal, "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.behavior.seconds)
        refusal = self.behavior.answer("DATA")
        content = envelope.content
        assert isinstance(content, bytes)
        parsed = email.message_from_bytes(content, _class=EmailMessage, policy=policy.SMTP)
        taken = Received(
            str(envelope.mail_from), list(envelope.rcpt_tos), parsed, refusal in (None, CUT), refusal is None
        )
        with self.lock:
            self.received.append(taken)
        return await _said(server, refusal, "250 OK")


async def _said(server: SMTP, refusal: str | None, otherwise: str) -> str:
    if refusal == CUT:
        _abort(server)
        await asyncio.sleep(0)
    return refusal if refusal not in (None, CUT) else otherwise


def _abort(server: SMTP) -> None:
    transport = server.transport
    assert isinstance(transport, asyncio.Transport)
    transport.abort()


class _Server(SMTP):
    """The protocol, where STARTTLS may be refused too."""

    @syntax("STARTTLS", when="tls_context")
    async def smtp_STARTTLS(self, arg: str) -> None:
        refusal = self.event_handler.behavior.answer("STARTTLS")
        if refusal is None:
            await super().smtp_STARTTLS(arg)
        elif refusal == CUT:
            await self.push("220 Ready to start TLS")
            _abort(self)
        else:
            await self.push(refusal)


class _Controller(Controller):
    """The server in a thread of its own."""

    def factory(self) -> SMTP:
        return _Server(self.handler, **self.SMTP_kwargs)


class MailServer:
    """A mail server on a port of its own; `start` and `stop` as often as wanted, what it received stays."""

    def __init__(self, behavior: Behavior | None = None, port: int | None = None, **how: Any) -> None:
        self.behavior = behavior or Behavior()
        self._post = _Post(self.behavior)
        self.port = port or free_port()
        self._how = how
        self._controller: _Controller | None = None

    @property
    def received(self) -> list[Received]:
        """Everything that came as far as its content, in order."""
        with self._post.lock:
            return list(self._post.received)

    @property
    def accepted(self) -> list[Received]:
        """What the server took, whether or not the sender heard of it."""
        return [one for one in self.received if one.accepted]

    def url(self, scheme: str = "smtp", credentials: str = "") -> str:
        return f"{scheme}://{credentials}localhost:{self.port}"

    def behave(self, **behavior: Any) -> None:
        """From now on like this."""
        self.behavior.__dict__.update(Behavior(**behavior).__dict__)

    def start(self) -> None:
        self._controller = _Controller(self._post, hostname="localhost", port=self.port, ready_timeout=30, **self._how)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def __enter__(self) -> MailServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def authenticator(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    """Let in who knows the password, unless AUTH is to be refused."""
    refusal = server.event_handler.behavior.answer("AUTH")
    if refusal is not None:
        return AuthResult(success=False, handled=False, message=refusal)
    right = isinstance(data, LoginPassword) and data.login.decode() == USER and data.password.decode() == PASSWORD
    return AuthResult(success=right, handled=False)


def free_port() -> int:
    """A port that nobody has; the controller itself cannot be asked for one."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@dataclass(frozen=True)
class Certificate:
    """A certificate for localhost, signed by nobody else, with the files that it is in."""

    file: Path
    key: Path

    def serving(self) -> ssl.SSLContext:
        """As the server shows it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context

    def trusting(self) -> ssl.SSLContext:
        """As who believes in it looks at it."""
        return ssl.create_default_context(cafile=str(self.file))


def certificate(folder: Path, host: str = "localhost") -> Certificate:
    """A new certificate in files of this folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    began = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    names: list[x509.GeneralName] = [x509.DNSName(host), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + datetime.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    found = Certificate(folder / "certificate.pem", folder / "key.pem")
    found.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    found.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return found


@contextmanager
def running(**behavior: Any) -> Iterator[MailServer]:
    """A server that behaves like this, for the length of the block."""
    with MailServer(Behavior(**behavior)) as server:
        yield server
