"""The audit log of a running node: its heads are cosigned by the peers that know its key, its entries stay here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

from pellucid.audit.trail import Trail
from pellucid.errors import EvidenceError, FatalError, UnavailableError
from pellucid.node.exchange import witness_clients
from pellucid.record.card import NodeCard, note_signer
from pellucid.record.home import Home
from pellucid.statement.keys import Role, SecretKey
from pellucid.storage.alarms import Alarms
from pellucid.terminal import say
from pellucid.tlog.cosigners import Parallel
from pellucid.tlog.publisher import PublicationStatus, Publisher

# Who watches people at work through the sizes of heads should see little: an audit log is published at leisure.
_SLOWER = 5.0
_RETRY_AFTER = 5.0


class Auditing:
    """The trail of a node and its publication, under the quorum of the node's own log.

    A failure of the audit log ends nothing but itself: `trail.problem` says why, nothing private is shown any more,
    and the public log goes on. The next start of the node recovers.
    """

    def __init__(self, home: Home, key: SecretKey, *, alarms: Alarms, clock: Callable[[], float]) -> None:
        """Open the audit log of a home; RecoveryError (fatal, with the remedy) if it does not fit together."""
        self._home = home
        self._cosigners = Parallel(())
        self._heard = threading.Event()
        self.trail = Trail.open(home.path, note_signer(home.settings.name, key))
        self._publisher = Publisher(self.trail.log, home.quorum(), self._cosigners, alarms=alarms, clock=clock)

    @property
    def publication(self) -> PublicationStatus:
        """How the last attempt to publish the head went."""
        return self._publisher.status

    @property
    def checkpoint(self) -> bytes | None:
        """The published head with its cosignatures, None before the first."""
        published = self._publisher.published
        return None if published is None else published.to_bytes()

    @property
    def problem(self) -> str | None:
        """Return why nothing can be recorded, None while it can."""
        return None if self.trail.problem is None else f"the audit log: {self.trail.problem}"

    def reconfigure(self, peers: tuple[NodeCard, ...]) -> None:
        """Ask these peers from now on: those that keep an audit log themselves, and so know what ours is."""
        before = self._cosigners
        asked = tuple(peer for peer in peers if Role.AUDIT in peer.keys)
        self._cosigners = Parallel(witness_clients(asked, self.trail.log.verifier))
        self._publisher.configure(self._home.quorum(), self._cosigners)
        before.close()

    def publish(self) -> PublicationStatus:
        """Sign what is recorded, have it cosigned and publish the head, now; used when no threads run."""
        while self.trail.problem is None and self.trail.log.integrate().size < self.trail.size:
            pass
        status, signed = self.publication, self.trail.log.signed.size
        if self.trail.problem is None and (status.behind or signed > status.signed_size):
            self._publisher.publish()
        return self.publication

    def bodies(
        self, stop: threading.Event, interval: float, refresh: float
    ) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the threads to run, each with its name; times as in `Publisher.run`."""
        pause = _SLOWER * interval
        yield "audit sequencer", lambda: self._guarded(lambda: self._sign_on(stop, pause))
        yield "audit publisher", lambda: self._guarded(lambda: self._publish_on(stop, pause, refresh))

    def close(self) -> None:
        """Commit what is queued and close the files."""
        self._cosigners.close()
        self.trail.close()

    def _sign_on(self, stop: threading.Event, interval: float) -> None:
        """Sign nothing new before every witness was heard, as the node's own log does."""
        self._publisher.publish(patient=True)
        self._heard.set()
        self.trail.log.run(stop, interval=interval)

    def _publish_on(self, stop: threading.Event, interval: float, refresh: float) -> None:
        while not self._heard.wait(0.5):
            if stop.is_set():
                return
        with suppress(UnavailableError):
            self.trail.refresh()
        self._publisher.run(stop, interval=interval, refresh=refresh, retry=max(_RETRY_AFTER, interval))

    def _guarded(self, body: Callable[[], None]) -> None:
        try:
            body()
        except (FatalError, EvidenceError) as error:
            if self.trail.problem is None:
                self.trail.log.fail(error)
            say(f"pellucid: nothing is recorded any more, and nothing private shown: {error}")
