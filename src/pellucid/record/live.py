"""What a running node notices and no log records: who answered, who did not, how far the others have come."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pellucid.tlog.publisher import PublicationStatus


@dataclass(frozen=True, slots=True)
class PeerState:
    """The exchanges with one peer; times in POSIX seconds by this machine's clock.

    `log_size` is its log's own size as last seen; `copy_size` and `copied_at` are its mirror's of our log.
    """

    last_answer: int | None = None
    problem: str | None = None
    log_size: int | None = None
    mirror_problem: str | None = None
    copy_size: int | None = None
    copied_at: int | None = None
    copy_problem: str | None = None


class Live:
    """The state of a running node as its status pages show it; safe between threads, lost at its end."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._peers: dict[str, PeerState] = {}
        self._index_problems: Mapping[str, str] = {}
        self._publication: PublicationStatus | None = None

    def peer(self, name: str) -> PeerState:
        """Return what is known of a peer by its name."""
        with self._mutex:
            return self._peers.get(name, PeerState())

    def note(self, name: str, **changes: int | str | None) -> None:
        """Change some fields of a peer's state."""
        with self._mutex:
            self._peers[name] = replace(self._peers.get(name, PeerState()), **changes)  # type: ignore[arg-type]

    def forget(self, known: set[str]) -> None:
        """Drop the peers that are not among `known`."""
        with self._mutex:
            self._peers = {name: state for name, state in self._peers.items() if name in known}

    @property
    def publication(self) -> PublicationStatus | None:
        """How the last publication went, None before the first."""
        with self._mutex:
            return self._publication

    @publication.setter
    def publication(self, status: PublicationStatus) -> None:
        with self._mutex:
            self._publication = status

    @property
    def index_problems(self) -> Mapping[str, str]:
        """What kept logs from being indexed, by log id."""
        with self._mutex:
            return self._index_problems

    @index_problems.setter
    def index_problems(self, problems: Mapping[str, str]) -> None:
        with self._mutex:
            self._index_problems = dict(problems)
