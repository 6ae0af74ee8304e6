"""A node in one process: it holds the home's lock, and what it acknowledges is on the disk."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from pellucid.audit.trail import Trail
from pellucid.capabilities import PREDICATES
from pellucid.errors import FatalError, InputError, PellucidError, UnavailableError
from pellucid.node.auditing import Auditing
from pellucid.node.doors import Doors
from pellucid.node.exchange import PeerExchange, witness_clients
from pellucid.outbox.webhook import PAYLOAD_TYPE
from pellucid.record.accept import Acceptance
from pellucid.record.accredited import Accredited
from pellucid.record.card import AUDIT_SUFFIX, NodeCard, make_card, note_signer
from pellucid.record.home import Home
from pellucid.record.index import Index
from pellucid.record.index_reader import IndexReader
from pellucid.record.live import Live
from pellucid.record.logs import Logs, Situation
from pellucid.record.lookup import LookupAnswer, Lookups
from pellucid.record.recorder import Recorder
from pellucid.record.views import NodeViews
from pellucid.statement.dsse import Envelope, sign_payload
from pellucid.statement.keys import Role
from pellucid.statement.predicate import Registry
from pellucid.storage.alarms import AlarmFolder
from pellucid.storage.files import FileObjects
from pellucid.storage.home_lock import HomeLock
from pellucid.storage.sqlite_sequence import SqliteSequence
from pellucid.storage.witness_state import SqliteWitnessState
from pellucid.terminal import say
from pellucid.tlog.cosigners import Parallel
from pellucid.tlog.note import NoteSigner, Verifier
from pellucid.tlog.publisher import PublicationStatus, Publisher
from pellucid.tlog.sequencer import FrozenError, Log
from pellucid.tlog.witness import Witness

EXIT_FATAL = 70
_WATCH_EVERY = 0.5
_STOP_WITHIN = 30.0
_RETRY_AFTER = 1.0

Clock = Callable[[], float]
OnFatal = Callable[[BaseException], object]


def end_process(error: BaseException) -> NoReturn:
    """Say what happened and end at once: what is on the disk is right, what is in memory may not be."""
    remedy = f" - {error.remedy}" if isinstance(error, PellucidError) and error.remedy else ""
    say(f"pellucid: the node stops: {type(error).__name__}: {error}{remedy}")
    os._exit(EXIT_FATAL)


@dataclass(frozen=True)
class _RunningExchange:
    """The exchange with one peer, under the card and address it was made for."""

    exchange: PeerExchange
    of: tuple[NodeCard, str]
    stop: threading.Event

    def cancel(self) -> None:
        self.stop.set()
        self.exchange.close()


class Node:
    """One installation. `open` it, `start` it, `stop` it; or use it as a context manager without its threads.

    Every method is safe between threads. A failure that leaves the state in memory unknown goes to `on_fatal`, which
    by default ends the process with the status 70.
    """

    def __init__(self, home: Home, passphrase: bytes, registry: Registry, clock: Clock, on_fatal: OnFatal) -> None:
        """See `open`; the caller holds the home's lock."""
        self.home = home
        self.live = Live()
        self.logs = Logs(home)
        self._clock = clock
        self._on_fatal = on_fatal
        self._keys = home.secrets(passphrase)
        self._stop = threading.Event()
        self._heard = threading.Event()
        self._threads: list[threading.Thread] = []
        self._exchanges: dict[str, _RunningExchange] = {}
        self._alarms = AlarmFolder(home.path / "alarms")
        settings = home.settings
        self._sequence = SqliteSequence(home.path / "log.db")
        self._log = _open_log(home, self._sequence, note_signer(settings.name, self._keys[Role.LOG]))
        self._cosigners = Parallel(())
        self._configuring = threading.Lock()
        self._publisher = Publisher(
            self._log,
            home.quorum(),
            self._cosigners,
            alarms=self._alarms,
            clock=clock,
            before=self._keep_up,
        )
        self.auditing = Auditing(home, self._keys[Role.AUDIT], alarms=self._alarms, clock=clock)
        self._witness_state = SqliteWitnessState(home.path / "witness.db")
        self._configured = 0
        self._index = Index(home.path / "index.db", registry)
        self._reader = IndexReader(home.path / "index.db")
        self._accredited = Accredited(self.logs, self._reader)
        self._lookups = Lookups(self.logs, self._reader, self._keys[Role.LOOKUP], self.refresh_index)
        self._recorder = self._make_recorder(registry, settings.name)
        self.views = NodeViews(home, registry, live=self.live, logs=self.logs)
        witness = self._make_witness(settings.name)
        self.doors = Doors(self.logs, witness, on_fatal, audit_head=lambda: self.auditing.checkpoint)

    @classmethod
    def open(
        cls,
        home: Path | Home,
        passphrase: bytes,
        *,
        registry: Registry = PREDICATES,
        clock: Clock = time.time,
        on_fatal: OnFatal = end_process,
    ) -> Self:
        """Take the home's lock, open its keys and recover its log.

        UnavailableError naming the process that runs this home already; KeyFileError for a wrong passphrase;
        RecoveryError (fatal, with the remedy) for a log that does not fit together.
        """
        found = home if isinstance(home, Home) else Home.find(home)
        lock = HomeLock(found.path / "lock")
        lock.acquire()
        try:
            node = cls(found, passphrase, registry, clock, on_fatal)
        except BaseException:
            lock.release()
            raise
        node._lock = lock
        node._configure(node.logs.now())
        node.refresh_index()
        return node

    _lock: HomeLock

    @property
    def origin(self) -> str:
        """The node's name, which is its log's origin."""
        return self._log.origin

    @property
    def publication(self) -> PublicationStatus:
        """How the last attempt to publish went, and who is missing."""
        return self._publisher.status

    @property
    def trail(self) -> Trail:
        """The audit log of the node: who saw or did what that is not public."""
        return self.auditing.trail

    def card(self) -> Envelope:
        """Return the node's card by its settings of now."""
        settings = self.logs.now().settings
        return make_card(settings, self.home.keys, self._keys[Role.NODE], self._keys[Role.PARTY])

    def sign_notice(self, payload: bytes) -> Envelope:
        """Sign what a webhook is told; its payload type keeps it from passing for a statement."""
        return sign_payload(PAYLOAD_TYPE, payload, self._keys[Role.NODE])

    def submit(self, data: bytes) -> Envelope:
        """Log the envelope `data` if its author may; return the signed receipt, also of a refusal.

        UnavailableError or FrozenError if the log takes nothing now.
        """
        try:
            return self._recorder.submit(data)
        except FatalError as error:
            self._on_fatal(error)
            raise

    def lookup(self, refs: list[str], origin: str, size: int) -> LookupAnswer:
        """Answer which statements of a log concern `refs`; see `Lookups.answer`."""
        return self._lookups.answer(refs, origin, size)

    def wait_published(self, index: int, seconds: float) -> bool:
        """Wait until an entry of the own log is published and indexed; False if the time is over first."""
        end = time.monotonic() + seconds
        if self._publisher.wait_published(index, seconds) is None:
            return False
        while self._reader.size(self.logs.now().own.id) <= index:
            if time.monotonic() > end:
                return False
            self.refresh_index()
        return True

    def publish(self) -> PublicationStatus:
        """Integrate what is pending, have it cosigned and publish it, now; used when no threads run."""
        while self._log.integrate().size < self._sequence.next_index():
            pass
        status = self._publisher.publish()
        self.live.publication = status
        self.auditing.publish()
        self.refresh_index()
        return status

    def refresh_index(self) -> None:
        """Index what has been published and mirrored since the last time."""
        self.live.index_problems = self._index.update(self.logs.now())
        self._accredited.refresh()

    def reindex(self) -> None:
        """Make the index anew from the logs."""
        self.live.index_problems = self._index.rebuild(self.logs.now())
        self._accredited.refresh()

    def pull(self) -> None:
        """Pull every peer's log once, now; used when no threads run."""
        for running in self._exchanges.values():
            running.exchange.exchange()
        self.refresh_index()

    def start(self) -> None:
        """Start the threads: integrate, publish, index, watch the peers and exchange with each."""
        settings = self.logs.now().settings
        self._spawn("sequencer", lambda: self._sign_on(settings.publish_every))
        self._spawn("publisher", self._publish_on)
        for name, body in self.auditing.bodies(self._stop, settings.publish_every, settings.republish_every):
            self._spawn(name, body)
        self._spawn("indexer", self._index_on)
        self._spawn("watcher", self._watch)
        for running in self._exchanges.values():
            self._run_exchange(running)

    def stop(self) -> None:
        """End the threads, commit what is queued and give the lock back."""
        self.home.withdraw()
        self._stop.set()
        for running in self._exchanges.values():
            running.cancel()
        for thread in self._threads:
            thread.join(_STOP_WITHIN)
        self._cosigners.close()
        self._log.close()
        self.auditing.close()
        self._index.close()
        self._witness_state.close()
        self._sequence.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _make_recorder(self, registry: Registry, origin: str) -> Recorder:
        return Recorder(
            Acceptance(registry, self._accredited.roster, self._accredited.others),
            self._log,
            origin=origin,
            node_key=self._keys[Role.NODE],
            clock=self._clock,
            due_within=lambda: self.logs.now().settings.due_within,
            accepted=self._accredited.remember,
        )

    def _make_witness(self, origin: str) -> Witness:
        signer = note_signer(origin, self._keys[Role.WITNESS])
        logs = self._witnessed
        return Witness(self._witness_state, signer, logs, alarms=self._alarms, clock=self._clock)

    def _witnessed(self, origin: str) -> Verifier | None:
        situation = self.logs.now()
        peer, role = situation.peer(origin), Role.LOG
        if peer is None:
            peer, role = situation.peer(origin.removesuffix(AUDIT_SUFFIX)), Role.AUDIT
        return None if peer is None or role not in peer.keys else peer.verifier(role)

    def _configure(self, situation: Situation) -> None:
        """Ask, pull from and count the peers as they are now; nothing is published by the settings of before."""
        with self._configuring:
            if situation.revision != self._configured:
                self._reconfigure(situation)

    def _keep_up(self) -> None:
        """Take in what changed in the home; a mistake in a file that is being edited is told and changes nothing."""
        try:
            self._configure(self.logs.now())
        except (InputError, UnavailableError) as error:
            self.logs.problem = str(error)

    def _reconfigure(self, situation: Situation) -> None:
        before, self._cosigners = self._cosigners, Parallel(witness_clients(situation.peers, self._log.verifier))
        self._publisher.configure(self.home.quorum(), self._cosigners)
        before.close()
        self.auditing.reconfigure(situation.peers)
        wanted = {peer.name: (peer, peer.card.url) for peer in situation.peers if peer.card.url is not None}
        for name in [name for name, running in self._exchanges.items() if running.of not in wanted.values()]:
            self._exchanges.pop(name).cancel()
        for name, (peer, url) in wanted.items():
            if name not in self._exchanges:
                self._exchanges[name] = running = self._make_exchange(peer, url)
                if self._threads:
                    self._run_exchange(running)
        self.live.forget({peer.name for peer in situation.peers})
        self._accredited.refresh()
        self._configured = situation.revision

    def _make_exchange(self, peer: NodeCard, url: str) -> _RunningExchange:
        signer = note_signer(self.origin, self._keys[Role.MIRROR])
        exchange = PeerExchange(self.home, peer, url, signer, alarms=self._alarms, live=self.live, clock=self._clock)
        return _RunningExchange(exchange, (peer, url), threading.Event())

    def _run_exchange(self, running: _RunningExchange) -> None:
        def every() -> float:
            return self.logs.now().settings.mirror_every

        self._spawn(f"exchange with {running.exchange.peer.name}", lambda: running.exchange.run(running.stop, every))

    def _sign_on(self, interval: float) -> None:
        """Sign nothing new before every witness was heard: one may hold a larger tree than a backup restored here."""
        self._publisher.publish(patient=True)
        self._heard.set()
        self._log.run(self._stop, interval=interval)

    def _publish_on(self) -> None:
        while not self._heard.wait(_WATCH_EVERY):
            if self._stop.is_set():
                return
        settings = self.logs.now().settings
        self._publisher.run(
            self._stop,
            interval=settings.publish_every,
            refresh=settings.republish_every,
            retry=min(5.0, max(_RETRY_AFTER, settings.publish_every)),
        )

    def _index_on(self) -> None:
        while not self._stop.is_set():
            try:
                self.refresh_index()
            except UnavailableError:
                self._stop.wait(_RETRY_AFTER)
                continue
            self.live.publication = self._publisher.status
            before = self._reader.size(self.logs.now().own.id)
            published = self._publisher.published
            if published is not None and published.checkpoint.size > before:
                self._stop.wait(_WATCH_EVERY)
            else:
                self._publisher.wait_published(before, _WATCH_EVERY)

    def _watch(self) -> None:
        pause = again_at = 0.0
        while not self._stop.wait(_WATCH_EVERY):
            before = self._configured
            self._keep_up()
            if self._configured != before or not self._absent():
                pause, again_at = _RETRY_AFTER, time.monotonic() + _RETRY_AFTER
            if self._configured != before or (self._absent() and time.monotonic() >= again_at):
                # Whoever was away, or was joined with just now, is asked again soon, then ever more rarely.
                self._publisher.publish()
                pause = min(2 * pause, self.logs.now().settings.republish_every)
                again_at = time.monotonic() + pause

    def _absent(self) -> bool:
        return any(absent.name in self._exchanges for absent in self._publisher.status.missing)

    def _spawn(self, name: str, body: Callable[[], object]) -> None:
        thread = threading.Thread(target=self._guarded, args=(body,), name=f"{self.origin} {name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _guarded(self, body: Callable[[], object]) -> None:
        try:
            body()
        except FrozenError:
            # The log signs no more, but it is still read, and the others' logs are still witnessed and mirrored.
            return
        except BaseException as error:  # noqa: BLE001 - whatever it is, this thread's work is not done any more
            if not self._stop.is_set() or isinstance(error, FatalError):
                self._on_fatal(error)


def _open_log(home: Home, sequence: SqliteSequence, signer: NoteSigner) -> Log:
    store = FileObjects(home.log_folder)
    if sequence.load(signer.name) is None:
        return Log.create(store, sequence, sequence, signer)
    return Log.open(store, sequence, sequence, signer)
