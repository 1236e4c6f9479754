"""A letter becomes a mail: headers that nobody else writes into, text and HTML, a name that stays (reliability.md E3).

The Message-ID is made from the message's key, so that a letter which had to be sent twice is seen to be one.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage

from scim_service.delivery import addresses
from scim_service.delivery.letters import rendering
from scim_service.delivery.letters.letter import Letter

_ASCII = policy.SMTP.clone(cte_type="7bit")
_UTF8 = policy.SMTPUTF8.clone(cte_type="7bit")
"""What is not ASCII is encoded in every body, so that no server on the way has to know 8BITMIME."""


class BadAddress(Exception):
    """No mail can be sent to, or from, such an address; the text says why, without the address."""


@dataclass(frozen=True)
class Office:
    """Who sends: the address of SCIM_MAIL_FROM, and the installation's secret key, which makes Message-IDs its own."""

    address: str
    secret_key: str


@dataclass(frozen=True)
class Mail:
    """One mail to one address, ready for the server; `international`: the server has to know SMTPUTF8."""

    sender: str
    recipient: str
    message_id: str
    data: bytes
    international: bool


def mail(letter: Letter, recipient: str, office: Office, tenant_id: int, key: str, now: datetime) -> Mail:
    """The letter as a mail to one address. Raises BadAddress where there can be none."""
    sender, to = _address(office.address, letter.sender), _address(recipient)
    international = not (sender.addr_spec + to.addr_spec).isascii()
    rules = _UTF8 if international else _ASCII
    named = message_id(office, tenant_id, key)
    message = EmailMessage(rules)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = letter.subject
    message["Date"] = now
    message["Message-ID"] = named
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(rendering.text(letter))
    message.add_alternative(rendering.html(letter), subtype="html")
    message["Content-Language"] = letter.language  # before, it would have become the text part's
    return Mail(sender.addr_spec, to.addr_spec, named, message.as_bytes(), international)


def message_id(office: Office, tenant_id: int, key: str) -> str:
    """The same for the same message of this installation, for ever; it tells nothing of the key."""
    told = hmac.new(office.secret_key.encode(), f"message {tenant_id}\0{key}".encode(), hashlib.sha256)
    return f"<{told.hexdigest()[:40]}@{domain(office.address)}>"


def domain(address: str) -> str:
    """An address's domain as the wire has it. Raises BadAddress."""
    try:
        return address.rpartition("@")[2].encode("idna").decode("ascii")
    except UnicodeError as problem:
        raise BadAddress("its domain is not one") from problem


def _address(text: str, name: str = "") -> Address:
    """One address: no list, no line's end, no comment, 254 characters at most. Raises BadAddress."""
    plain = text.strip()
    if not addresses.is_address(plain):
        raise BadAddress("it is not one address")
    made = f"{plain.rpartition('@')[0]}@{domain(plain)}"
    if len(made.encode()) > addresses.CHARACTERS:
        raise BadAddress(f"it is longer than {addresses.CHARACTERS} characters")
    return Address(name, *made.rsplit("@", 1))
