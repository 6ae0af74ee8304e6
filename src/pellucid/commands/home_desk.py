"""The home that a command works on: its keys, its node, its receipts."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Self

from pellucid.capabilities import PREDICATES
from pellucid.commands.own_log import live_releases
from pellucid.commands.passphrase import KEPT, ask_passphrase, find_passphrase, given_passphrase
from pellucid.desk import Submission
from pellucid.errors import EvidenceError, InputError, UnavailableError
from pellucid.node import submit
from pellucid.record.client import NodeClient
from pellucid.record.forgetting import erase_names
from pellucid.record.home import Home
from pellucid.record.index_reader import IndexReader
from pellucid.record.logs import Logs
from pellucid.record.openings import Openings
from pellucid.record.predicate import RECEIPT, Receipt
from pellucid.record.settings import SETTINGS_FILE
from pellucid.statement.commitment import Opening
from pellucid.statement.dsse import Envelope
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import KeyFileError, Role, SecretKey, unseal_key
from pellucid.statement.predicate import read_predicate
from pellucid.storage.blobs import Blobs
from pellucid.storage.failures import fatal_io
from pellucid.storage.files import FileObjects
from pellucid.terminal import is_interactive, progress
from pellucid.tlog.checkpoint import SignedCheckpoint, open_checkpoint
from pellucid.tlog.cosignature import cosignatures
from pellucid.tlog.web import WebClient

_POLL = 0.1
_KEY_LIMIT = 4096
_HEALTH_LIMIT = 1 << 20


class HomeDesk:
    """`Desk` on the home at `path`; the passphrase is found once, when the first key is opened."""

    def __init__(self, path: Path, passphrase_file: Path | None) -> None:
        self.home = path
        self._passphrase_file = passphrase_file

    @classmethod
    def of(cls, args: argparse.Namespace) -> Self:
        """Return the desk of a command line."""
        return cls(args.home, getattr(args, "passphrase_file", None))

    @cached_property
    def passphrase(self) -> bytes:
        """What opens the home's keys."""
        return find_passphrase(self._passphrase_file, self.home)

    def key(self, role: Role) -> SecretKey:
        """See `Desk.key`."""
        return Home.find(self.home).secret(role, self.passphrase)

    def open_key(self, path: Path, role: Role) -> SecretKey:
        """See `Desk.open_key`; where the home's own passphrase does not fit, the person is asked."""
        try:
            with path.open("rb") as file:
                data = file.read(_KEY_LIMIT + 1)
        except OSError as error:
            remedy = "give a file that `pellucid key new` made"
            raise InputError(f"cannot be read: {error.strerror}", where=str(path), remedy=remedy) from error
        if given_passphrase(self._passphrase_file) is None and not (self.home / KEPT).is_file():
            return unseal_key(data, ask_passphrase(), where=str(path), role=role)
        try:
            return unseal_key(data, self.passphrase, where=str(path), role=role)
        except KeyFileError:
            if not is_interactive() or given_passphrase(self._passphrase_file) is not None:
                raise
            return unseal_key(data, ask_passphrase(), where=str(path), role=role)

    def live_releases(self, product: str, version: str) -> Mapping[str, tuple[str, str]]:
        """See `Desk.live_releases`."""
        return live_releases(Home.find(self.home), product, version)

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """See `Desk.publishing`."""
        path = Home.find(self.home).path / "publish.lock"
        with fatal_io("cannot open the lock", str(path)):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def keep_private(self, name: str, data: bytes) -> Path:
        """See `Desk.keep_private`: a blob of the home, or `name` in the folder at hand where there is no home."""
        if (self.home / SETTINGS_FILE).is_file():
            blobs = Blobs(self.home / "blobs" / "sha256")
            digest = blobs.put(data)
            return blobs.root / digest[:2] / digest
        path = Path.cwd() / name
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
        except OSError as error:
            raise UnavailableError(f"cannot be written: {error.strerror}", where=str(path)) from error
        return path

    def submit(self, envelope: Envelope, *, wait: float = 0.0) -> Submission:
        """See `Desk.submit`."""
        home = Home.find(self.home)
        answer = submit(home, envelope.to_bytes(), lambda: self.passphrase)
        submission = replace(self._keep(envelope, answer.receipt), wanting=answer.wanting)
        return self.follow(submission, wait=wait) if submission.accepted else submission

    def follow(self, submission: Submission, *, wait: float) -> Submission:
        """See `Desk.follow`; without a running node, publication was tried at once and waiting would not help."""
        home = Home.find(self.home)
        return self._followed(home, submission, wait if home.node_url() else 0.0)

    def publish_opening(self, opening: Opening) -> None:
        """See `Desk.publish_opening`."""
        Openings(Home.find(self.home).path / "openings").publish(opening)

    def erase_names(self, key: str) -> int:
        """See `Desk.erase_names`."""
        return erase_names(Home.find(self.home), PREDICATES, key)

    def submit_to(self, url: str, envelope: Envelope) -> Submission:
        """See `Desk.submit_to`."""
        return self._keep(envelope, NodeClient(url).submit(envelope.to_bytes()))

    def _keep(self, envelope: Envelope, answer: Envelope) -> Submission:
        """Store a receipt where `receipt check` finds it, and read it."""
        receipt: Receipt = read_predicate(Statement.parse(answer.payload, where="receipt"), RECEIPT, where="receipt")
        folder = self.home / "receipts" if (self.home / SETTINGS_FILE).is_file() else Path.cwd()
        name = f"{envelope.id}.{answer.id[:8]}.receipt.json"
        FileObjects(folder).replace(name, answer.to_bytes())
        return Submission(
            statement=envelope.id,
            log=receipt.log,
            index=receipt.index,
            due=receipt.due,
            reason=receipt.reason.value if receipt.reason else None,
            receipt=folder / name,
        )

    def _followed(self, home: Home, submission: Submission, wait: float) -> Submission:
        """Return what is published of a submission after waiting at most `wait` seconds."""
        deadline = time.monotonic() + wait
        with progress(f"waiting for entry {submission.index} to be published and cosigned", unit="") as shown:
            while (found := _published(home, submission)) is None and time.monotonic() < deadline:
                time.sleep(_POLL)
                shown.advance()
            while found and not _is_indexed(home, submission.index or 0) and time.monotonic() < deadline:
                time.sleep(_POLL)
                shown.advance()
        return found or _unpublished(home, submission)


def _is_indexed(home: Home, index: int) -> bool:
    own = Logs(home).now().own.id
    return IndexReader(home.path / "index.db").size(own) > index


def _published(home: Home, submission: Submission) -> Submission | None:
    """Return the submission with its cosigners if the published checkpoint covers it."""
    head = _head(home)
    if head is None or submission.index is None or head.checkpoint.size <= submission.index:
        return None
    quorum = home.quorum()
    found = cosignatures(head.note, quorum.verifiers)
    standing = quorum.standing(found)
    return replace(
        submission,
        published=True,
        required=quorum.required,
        cosigned_by=tuple(item.verifier.name for item in found),
        missing=tuple(item.verifier.name for item in standing.missing),
        wanting=(),
    )


def _unpublished(home: Home, submission: Submission) -> Submission:
    """Return the submission with what the running node says of its publication, or who may cosign at all."""
    quorum = home.quorum()
    missing, wanting = tuple(item.verifier.name for item in quorum.eligible), submission.wanting
    url = home.node_url()
    if url is not None:
        with suppress(UnavailableError, ValueError, KeyError, TypeError):
            said = json.loads(WebClient(url).get("healthz", limit=_HEALTH_LIMIT).body)["publication"]
            missing = tuple(f"{absent['name']}: {absent['why']}" for absent in said["missing"])
            wanting = tuple(str(text) for text in said["wanting"])
    return replace(submission, required=quorum.required, missing=missing, wanting=wanting)


def _head(home: Home) -> SignedCheckpoint | None:
    data = FileObjects(home.log_folder).fetch("checkpoint")
    if data is None:
        return None
    try:
        return open_checkpoint(data, home.verifier(Role.LOG), where=str(home.log_folder / "checkpoint"))
    except EvidenceError as error:
        remedy = "run `pellucid fsck` on this home"
        raise UnavailableError(f"the published checkpoint is damaged: {error.what}", remedy=remedy) from error
