"""The exchanges of a running node with its peers: pulling their logs, asking how far they have come with ours."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pellucid.errors import EvidenceError, InputError, UnavailableError
from pellucid.record.card import NodeCard
from pellucid.record.client import NodeClient
from pellucid.record.home import Home
from pellucid.record.live import Live
from pellucid.statement.keys import Role
from pellucid.storage.alarms import Alarms
from pellucid.storage.files import FileObjects
from pellucid.tlog.checkpoint import open_checkpoint
from pellucid.tlog.cosignature import cosignatures
from pellucid.tlog.mirror import Mirror
from pellucid.tlog.note import NoteSigner, Verifier
from pellucid.tlog.recovery import RecoveryError
from pellucid.tlog.witness_client import WitnessClient

_TIMEOUT = 10.0
_DEADLINE = 120.0


def witness_clients(peers: tuple[NodeCard, ...], own: Verifier) -> list[WitnessClient]:
    """Return a way to ask each peer's witness that has an address to cosign our log."""
    return [
        WitnessClient(
            peer.name, peer.card.operator, peer.card.region, [peer.verifier(Role.WITNESS)], peer.card.url, log=own
        )
        for peer in peers
        if peer.card.url is not None
    ]


class PeerExchange:
    """Pulls one peer's log into its mirror folder, and looks at the peer's mirror of ours; one thread runs it."""

    def __init__(
        self,
        home: Home,
        peer: NodeCard,
        url: str,
        signer: NoteSigner,
        *,
        alarms: Alarms,
        live: Live,
        clock: Callable[[], float],
    ) -> None:
        self.peer = peer
        self._home = home
        self._own = home.verifier(Role.LOG)
        self._live = live
        self._clock = clock
        self._client = NodeClient(url, timeout=_TIMEOUT, deadline=_DEADLINE)
        self._source = self._client.tiles(peer.name, mirrored=False)
        self._mirror = Mirror(
            FileObjects(home.mirror_folder(peer.log_id)),
            self._source,
            peer.verifier(Role.LOG),
            signer,
            alarms=alarms,
            clock=clock,
        )

    def run(self, stop: threading.Event, every: Callable[[], float]) -> None:
        """Exchange until `stop` is set, each `every()` seconds; raises only what ends the process."""
        while not stop.is_set():
            self.exchange()
            stop.wait(every())

    def close(self) -> None:
        """Cut what is under way."""
        self._client.close()
        self._source.close()

    def exchange(self) -> None:
        """Pull once and look at the peer's copy once."""
        self._pull()
        self._look_at_copy()

    def _pull(self) -> None:
        name = self.peer.name
        try:
            self._claim_folder()
            head = self._mirror.pull()
        except (UnavailableError, EvidenceError, InputError, RecoveryError) as error:
            # A damaged or contradictory copy of somebody's log is reported; it must not stop our own log.
            problem = f"{error.what} ({error.where})" if error.where else error.what
            self._live.note(name, **{"problem" if isinstance(error, UnavailableError) else "mirror_problem": problem})
            return
        size = None if head is None else head.checkpoint.size
        self._live.note(name, problem=None, mirror_problem=None, last_answer=int(self._clock()), log_size=size)

    def _claim_folder(self) -> None:
        held = self._home.mirrored().get(self.peer.log_id)
        if held is None:
            self._home.remember_mirrored(self.peer)
        elif held != self.peer.verifier(Role.LOG):
            raise EvidenceError(
                "the mirror of this name holds a log under another key",
                where=str(self._home.mirror_folder(self.peer.log_id)),
                remedy="move that folder away once you know why the key has changed",
            )

    def _look_at_copy(self) -> None:
        name = self.peer.name
        try:
            note = self._client.mirror_checkpoint(self._own.name)
            if note is None:
                self._live.note(name, copy_size=None, copied_at=None, copy_problem=None)
                return
            size, time = self._read_copy(note)
        except (UnavailableError, EvidenceError) as error:
            self._live.note(name, copy_problem=error.what)
            return
        self._live.note(name, copy_size=size, copied_at=time, copy_problem=None)

    def _read_copy(self, note: bytes) -> tuple[int, int]:
        signed = open_checkpoint(note, self._own)
        times = [item.timestamp for item in cosignatures(signed.note, [self.peer.verifier(Role.MIRROR)])]
        if not times:
            raise EvidenceError("the peer's mirror serves our checkpoint without its cosignature")
        return signed.checkpoint.size, max(times)
