"""How people are told, and how a delivery stands."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """A way to reach somebody; feeds are fetched, so they need no delivery."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class Mode(StrEnum):
    """When a person wants mail about a kind of notice."""

    AT_ONCE = "at-once"
    DAILY = "daily"
    OFF = "off"


class DeliveryState(StrEnum):
    """How a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    ENDED = "ended"

    @property
    def over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self is not DeliveryState.WAITING


class Problem(StrEnum):
    """Why an attempt failed: a word, never what the other side said, which may hold an address."""

    NO_MAIL = "no-mail-server-set"
    UNREACHABLE = "unreachable"
    TLS = "tls-failed"
    SIGN_IN = "sign-in-refused"
    REFUSED = "refused"
    LATER = "asked-to-try-later"
    FORBIDDEN_ADDRESS = "address-not-allowed"
    REDIRECTED = "redirected"
    NO_ADDRESS = "no-address"
    WITHDRAWN = "withdrawn"
