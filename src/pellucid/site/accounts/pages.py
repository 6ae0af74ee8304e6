"""What the pages of sign-in know; their `.json` twins say the same, and never a secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A page that is mostly its form."""

    title: str
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey of a person."""

    number: int
    name: str
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Provider:
    """One OpenID Connect provider, and whether the account is connected to it (`connection` numbers that)."""

    id: str
    name: str
    connection: int | None


@dataclass(frozen=True, slots=True)
class FactorsPage:
    """How somebody signs in: `guarded` once there is a second factor; `codes_left` None without recovery codes."""

    title: str
    as_of: datetime
    guarded: bool
    passkeys: tuple[Passkey, ...]
    app_added_at: datetime | None
    codes_left: int | None
    providers: tuple[Provider, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """One browser in which somebody is signed in; `browser` is what it calls itself, `named` that in short."""

    number: int
    named: str
    browser: str
    address: str
    began_at: datetime
    this_one: bool


@dataclass(frozen=True, slots=True)
class SessionsPage:
    """Where somebody is signed in; a session ends by itself so long after its last use, and after its sign-in."""

    title: str
    as_of: datetime
    sessions: tuple[Session, ...]
    idle_minutes: int
    longest_hours: int
