"""The home of a node: a directory that holds its settings, keys, peers, logs and evidence."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from pellucid.errors import InputError, UnavailableError
from pellucid.record.card import AUDIT_SUFFIX, NodeCard, key_uses, make_card, note_key, read_card
from pellucid.record.settings import SETTINGS_FILE, Settings, change_settings, load_settings, write_settings
from pellucid.statement.dsse import Envelope
from pellucid.statement.keys import (
    PublicKey,
    Role,
    SecretKey,
    Stretched,
    generate_key,
    read_public,
    seal_key,
    unseal_key,
)
from pellucid.storage.failures import fatal_io
from pellucid.storage.files import FileObjects
from pellucid.tlog.checkpoint import origin_hash
from pellucid.tlog.note import Verifier
from pellucid.tlog.quorum import Cosigner, Quorum, refuse_shared_keys

_FILE_LIMIT = 65_535
_FOLDERS = ("keys", "log", "mirrors", "peers", "alarms", "blobs")


class HomeError(InputError):
    """A directory is not the home of a node, or already is one."""


class PeerError(InputError):
    """A node cannot be joined with."""


class MirroredLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose log a folder of `mirrors/` holds: `origin.json` in it."""

    origin: str
    vkey: str


class Serving(msgspec.Struct, frozen=True):
    """Where the running node answers: `serving.json`."""

    url: str
    pid: int


@dataclass(frozen=True)
class Home:
    """A node's home at `path`; readers need no lock, and everything is read anew at each call but the keys."""

    path: Path

    @classmethod
    def find(cls, path: Path) -> Home:
        """Return the home at `path`, made absolute; HomeError unless there is one."""
        home = cls(path.absolute())
        if not (home.path / SETTINGS_FILE).is_file():
            raise HomeError(
                "not the home of a node", where=str(path), remedy="make one with `pellucid init`, or name it by --home"
            )
        return home

    @property
    def settings(self) -> Settings:
        """The settings as they stand in `node.toml`."""
        return load_settings(self.path)

    def change(self, **changes: str | float | None) -> Settings:
        """Change settings by name (None takes one away); the name of a node stays as it is."""
        if changes.get("name", self.settings.name) != self.settings.name:
            raise HomeError("a node's name is its log's origin and never changes", where=str(self.path))
        return change_settings(self.path, **changes)

    @cached_property
    def keys(self) -> Mapping[Role, PublicKey]:
        """The node's public keys by role."""
        return {role: self._public(role) for role in Role}

    def secret(self, role: Role, passphrase: bytes | Stretched) -> SecretKey:
        """Open the key for one role; KeyFileError for a wrong passphrase or a file of another role."""
        path = self._key_path(role)
        return unseal_key(_read(path), passphrase, where=str(path), role=role)

    def secrets(self, passphrase: bytes) -> dict[Role, SecretKey]:
        """Open the keys of all roles."""
        stretched = Stretched(passphrase)
        return {role: self.secret(role, stretched) for role in Role}

    def card(self, passphrase: bytes) -> Envelope:
        """Return the node's card, signed anew; equal settings give equal bytes."""
        stretched = Stretched(passphrase)
        node, party = (self.secret(role, stretched) for role in (Role.NODE, Role.PARTY))
        return make_card(self.settings, self.keys, node, party)

    def verifier(self, role: Role) -> Verifier:
        """Return the node's C2SP key as log, witness, mirror or audit log."""
        return note_key(self.settings.name, role, self.keys[role])

    @property
    def log_folder(self) -> Path:
        """Where the node's own log lies, servable as it is."""
        return self.path / "log"

    def mirror_folder(self, log_id: str) -> Path:
        """Where the copy of another log lies, by the SHA-256 of its origin."""
        return self.path / "mirrors" / log_id

    def mirrored(self) -> dict[str, Verifier]:
        """Return the keys of the logs that are or were mirrored here, by log id, in the order of their origins."""
        found = []
        for folder in (self.path / "mirrors").glob("*/origin.json"):
            about = msgspec.json.decode(_read(folder), type=MirroredLog)
            found.append((about.origin, folder.parent.name, Verifier.parse(about.vkey, where=str(folder))))
        return {log_id: verifier for _, log_id, verifier in sorted(found, key=lambda item: item[0])}

    def remember_mirrored(self, card: NodeCard) -> None:
        """Note whose log a mirror folder holds, before the first pull."""
        about = MirroredLog(card.name, card.card.log)
        FileObjects(self.mirror_folder(card.log_id)).replace("origin.json", msgspec.json.encode(about))

    def peers(self) -> tuple[NodeCard, ...]:
        """Return the cards of the nodes joined with, by name."""
        files = sorted((self.path / "peers").glob("*.json"))
        return tuple(sorted((read_card(_read(file), where=str(file)) for file in files), key=lambda card: card.name))

    def add_peer(self, card: NodeCard) -> bool:
        """Join with a node; False if that changed nothing.

        PeerError for this node's own card or other keys under a known name, SharedKeyError for a key that stands
        anywhere else, PolicyError for what no quorum could count.
        """
        settings, known = self.settings, {peer.name: peer for peer in self.peers()}
        if card.name == settings.name:
            raise PeerError(f"{card.name} is this node's own name", remedy="give the other node's card")
        before = known.pop(card.name, None)
        if before is not None and any(card.keys.get(role) != key for role, key in before.keys.items()):
            raise PeerError(
                f"{card.name} is known with other keys",
                remedy="if its operator confirms the change, take it away with `peer remove`, then accept the new card",
            )
        uses = [use for peer in known.values() for use in key_uses(peer.name, peer.keys)]
        refuse_shared_keys([*key_uses(settings.name, self.keys), *uses, *key_uses(card.name, card.keys)])
        newcomer = Cosigner(card.card.operator, card.card.region, card.verifier(Role.WITNESS))
        others = [item for item in self.cosigners(Role.WITNESS) if item.verifier != newcomer.verifier]
        Quorum(0, (*others, newcomer), settings.operator)
        data = card.envelope.to_bytes()
        if before is not None and before.envelope.to_bytes() == data:
            return False
        FileObjects(self.path / "peers").replace(f"{card.log_id}.json", data)
        return True

    def remove_peer(self, name: str) -> bool:
        """Part from a node: it is no longer witnessed, mirrored or asked; what was mirrored stays. False if unknown."""
        path = self.path / "peers" / f"{origin_hash(name)}.json"
        known = path.exists()
        peers = FileObjects(path.parent)
        peers.delete(path.name)
        peers.sync()
        return known

    def changes(self) -> tuple[object, ...]:
        """Return a value that differs once settings, peers or the list of mirrors have changed on disk."""
        peers, mirrors = self.path / "peers", self.path / "mirrors"
        paths = [self.path / SETTINGS_FILE, peers, mirrors, *sorted(peers.glob("*.json"))]
        paths += sorted(mirrors.glob("*/origin.json"))
        return tuple((str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino) for path, stat in _stats(paths))

    def cosigners(self, role: Role) -> tuple[Cosigner, ...]:
        """Return every known node's witness or mirror key, this node's own first, with its operator and region."""
        settings = self.settings
        own = Cosigner(settings.operator, settings.region, self.verifier(role))
        return (own, *(Cosigner(p.card.operator, p.card.region, p.verifier(role)) for p in self.peers()))

    def quorum(self) -> Quorum:
        """Return what has to have cosigned this node's log before it publishes."""
        settings = self.settings
        return Quorum(settings.quorum, self.cosigners(Role.WITNESS)[1:], settings.operator)

    def announce(self, url: str) -> None:
        """Say where the running node answers; the caller holds the lock."""
        FileObjects(self.path).replace("serving.json", msgspec.json.encode(Serving(url.rstrip("/"), os.getpid())))

    def withdraw(self) -> None:
        """Take `announce` back, if this process made it."""
        serving = self._serving()
        if serving is not None and serving.pid == os.getpid():
            (self.path / "serving.json").unlink(missing_ok=True)

    def node_url(self) -> str | None:
        """Return where a node that runs on this home answers, None if none does."""
        serving = self._serving()
        # The lock is probed only for a live process, so that probing never gets in the way of one that starts.
        return serving.url if serving is not None and _alive(serving.pid) and self.holder() == serving.pid else None

    def holder(self) -> int | None:
        """Return the process that holds the home's lock, None if none does."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            named = os.pread(descriptor, 20, 0).strip()
            return int(named) if named.isdigit() else 0
        finally:
            os.close(descriptor)
        return None

    def _serving(self) -> Serving | None:
        try:
            return msgspec.json.decode((self.path / "serving.json").read_bytes(), type=Serving)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def _key_path(self, role: Role) -> Path:
        return self.path / "keys" / f"{role.value}.key"

    def _public(self, role: Role) -> PublicKey:
        path = self._key_path(role)
        found, _, public = read_public(_read(path), where=str(path))
        if found is not role:
            raise HomeError(f"this is a key for the role {found.value!r}", where=str(path), remedy="restore the file")
        return public


def create_home(path: Path, settings: Settings, passphrase: bytes, *, keep_passphrase: bool = False) -> Home:
    """Make a node: settings and one sealed key for each role. HomeError if something is there already.

    With `keep_passphrase` the passphrase lies in the home as `passphrase`, readable by the owner only.
    The home appears at `path` complete or not at all.
    """
    path = path.absolute()
    if settings.name.endswith(AUDIT_SUFFIX):
        raise HomeError(
            f"no node can be named {settings.name!r}: that is the origin of an audit log", remedy="choose another name"
        )
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise HomeError(
            "is the home of a node already" if (path / SETTINGS_FILE).exists() else "exists and is not empty",
            where=str(path),
            remedy="name another directory by --home, or go on with the node that is there",
        )
    aside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with fatal_io("cannot make the home", str(path)):
            _fill(aside, settings, passphrase, keep_passphrase=keep_passphrase)
            aside.rename(path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Home(path)


def _fill(aside: Path, settings: Settings, passphrase: bytes, *, keep_passphrase: bool) -> None:
    aside.mkdir(mode=0o700, parents=True)
    for name in _FOLDERS:
        (aside / name).mkdir(mode=0o755 if name in {"log", "mirrors"} else 0o700)
    stretched = Stretched(passphrase)
    for role in Role:
        name = settings.name if role is Role.LOG else f"{settings.name}/{role.value}"
        _write_private(aside / "keys" / f"{role.value}.key", seal_key(generate_key(role, name), stretched))
    if keep_passphrase:
        _write_private(aside / "passphrase", passphrase + b"\n")
    write_settings(aside, settings)
    FileObjects(aside).sync()


def _write_private(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _stats(paths: list[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    for path in paths:
        try:
            yield path, path.stat()
        except FileNotFoundError:
            continue


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_LIMIT + 1)
    except FileNotFoundError:
        raise HomeError("is missing", where=str(path), remedy="restore it from the copy you keep") from None
    except OSError as error:
        raise UnavailableError(f"cannot be read: {error.strerror}", where=str(path)) from error
