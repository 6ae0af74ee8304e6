"""What the outbox asks of the node whose notices it delivers."""

from __future__ import annotations

from typing import Protocol

from pellucid.record.facts import Views
from pellucid.record.home import Home
from pellucid.statement.dsse import Envelope
from pellucid.tlog.publisher import PublicationStatus


class Speaker(Protocol):
    """A node that is being served."""

    @property
    def home(self) -> Home:
        """Its home, whose settings name the mail server."""

    @property
    def views(self) -> Views:
        """What it can say of its logs."""

    @property
    def publication(self) -> PublicationStatus:
        """How its last attempt to publish went."""

    def sign_notice(self, payload: bytes) -> Envelope:
        """Sign the payload of a webhook's call with the node's own key."""
