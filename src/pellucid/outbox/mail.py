"""Plain mail by SMTP (RFC 5321): one text, headers that no input can break out of, and nothing sent in the clear."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from pellucid.errors import UnavailableError
from pellucid.outbox.attempt import DELIVERED, Attempt
from pellucid.outbox.channel import Problem
from pellucid.record.settings import Mail
from pellucid.tlog.web import tls_context

_TIMEOUT = 20.0
_PASSWORD_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to one address: `id` and `at` are the same at every attempt, so that a second copy is known as one."""

    id: str
    to: str
    subject: str
    text: str
    at: datetime


def composed(letter: Letter, settings: Mail, node: str) -> EmailMessage:
    """Write a letter as a message (RFC 5322); ValueError for an address or a subject that would break a header."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(_printable(node), addr_spec=settings.sender)
    message["To"] = _mailbox(letter.to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.id}@{_domain(settings)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="quoted-printable")
    return message


def send(letter: Letter, settings: Mail, node: str) -> Attempt:
    """Hand a letter to the mail server; what goes wrong is in the result."""
    try:
        message = composed(letter, settings, node)
    except ValueError:
        return Attempt(Problem.REFUSED, final=True)
    try:
        server = _connected(settings)
    except (ssl.SSLError, smtplib.SMTPNotSupportedError):
        return Attempt(Problem.TLS)
    except smtplib.SMTPAuthenticationError:
        return Attempt(Problem.SIGN_IN)
    except (OSError, smtplib.SMTPException, UnavailableError):
        return Attempt(Problem.UNREACHABLE)
    try:
        server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        return _judged(error)
    finally:
        with suppress(OSError, smtplib.SMTPException):
            server.quit()
    return DELIVERED


def _connected(settings: Mail) -> smtplib.SMTP:
    """Return a session with the server, encrypted and signed in as the settings say."""
    context, us = tls_context(), _domain(settings)
    server = (
        smtplib.SMTP_SSL(settings.host, settings.port, us, timeout=_TIMEOUT, context=context)
        if settings.security == "tls"
        else smtplib.SMTP(settings.host, settings.port, us, timeout=_TIMEOUT)
    )
    try:
        if settings.security == "starttls":
            server.starttls(context=context)
        if settings.user is not None and settings.password_file is not None:
            server.login(settings.user, _password(Path(settings.password_file)))
    except BaseException:
        server.close()
        raise
    return server


def _password(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_PASSWORD_LIMIT).rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise UnavailableError("the password of the mail server cannot be read", where=str(path)) from None


def _judged(error: Exception) -> Attempt:
    """Sort a refusal: what begins with 5 stays so (RFC 5321 §4.2.1), everything else may pass."""
    codes = [error.smtp_code] if isinstance(error, smtplib.SMTPResponseException) else []
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Attempt(Problem.REFUSED, final=True)
    if codes and all(500 <= code < 600 for code in codes):
        return Attempt(Problem.REFUSED, final=True)
    return Attempt(Problem.LATER if codes else Problem.UNREACHABLE)


def _domain(settings: Mail) -> str:
    return settings.sender.rpartition("@")[2]


def _mailbox(address: str) -> Address:
    """Read a mail address, its domain as mail servers know it; ValueError for what is none."""
    local, _, domain = address.rpartition("@")
    try:
        found = Address(addr_spec=f"{local}@{domain.encode('idna').decode()}")
    except (MessageError, IndexError, UnicodeError) as error:
        raise ValueError("not a mail address") from error
    if not found.addr_spec.isascii() or not found.addr_spec.isprintable():
        raise ValueError("not a mail address")
    return found


def _printable(node: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in node)
