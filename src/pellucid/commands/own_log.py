"""What the home's own log holds of a product: published or not, so that no second release slips in between."""

from __future__ import annotations

from collections.abc import Iterator

from pellucid.capabilities import PREDICATES
from pellucid.errors import EvidenceError, UnavailableError
from pellucid.record.home import Home
from pellucid.record.index_reader import IndexReader
from pellucid.record.logs import Logs
from pellucid.record.views import NodeViews
from pellucid.release.predicate import Release
from pellucid.statement.dsse import Envelope
from pellucid.statement.keys import Role
from pellucid.statement.predicate import Parsed, parse_statement
from pellucid.storage.failures import StorageError
from pellucid.storage.files import FileObjects
from pellucid.storage.sqlite_sequence import SqliteSequence
from pellucid.tlog.tiles import ENTRIES, TILE_WIDTH, Tile, parse_bundle, tile_at
from pellucid.trust.predicate import Withdrawal

_BATCH = 4096
_RELEASES_MOST = 10_000

Live = dict[str, tuple[str, str]]


def live_releases(home: Home, product: str, version: str) -> Live:
    """Return artifact name -> (SHA-256, statement id) of the live releases of one version in the own log."""
    live: Live = {}
    # Asked before the releases: what is indexed in between is then read twice, and not never.
    indexed = IndexReader(home.path / "index.db").size(Logs(home).now().own.id)
    for record in NodeViews(home, PREDICATES).releases(product, limit=_RELEASES_MOST):
        release = record.model
        is_here = not record.withdrawn and any(place.own for place in record.places)
        if is_here and isinstance(release, Release) and release.version == version:
            digests = [ref.partition(":")[2] for subject in record.subjects for ref in subject.refs]
            live |= _named(release, digests, record.id)
    for parsed in _parsed(entries_after(home, indexed)):
        release = parsed.predicate
        if isinstance(release, Release) and (release.product, release.version) == (product, version):
            live |= _named(release, [s.digest["sha256"] for s in parsed.statement.subjects], parsed.id)
        elif isinstance(release, Withdrawal):
            gone = parsed.statement.subjects[0].digest["sha256"]
            live = {name: held for name, held in live.items() if held[1] != gone or not _same_author(home, parsed)}
    return live


def entries_after(home: Home, start: int) -> Iterator[bytes]:
    """Yield the entries of the own log from index `start` on, those under no published checkpoint too."""
    path = home.path / "log.db"
    if not path.exists():
        return
    sequence = SqliteSequence(path)
    try:
        while True:
            size = max(start, _signed_size(sequence, home))
            yield from _integrated(home, start, size)
            start = size
            try:
                pending = [entry for batch in sequence.pending(start, _BATCH) for entry in batch]
            except StorageError:
                # They are gone from there if they were integrated in between; then they stand in the tiles.
                if _signed_size(sequence, home) == start:
                    raise
                continue
            yield from pending
            return
    finally:
        sequence.close()


def _signed_size(sequence: SqliteSequence, home: Home) -> int:
    locked = sequence.load(home.settings.name)
    return locked.size if locked is not None else 0


def _integrated(home: Home, start: int, size: int) -> Iterator[bytes]:
    store = FileObjects(home.log_folder)
    while start < size:
        tile = tile_at(ENTRIES, start // TILE_WIDTH, size)
        data = store.fetch(tile.path)
        if data is None and tile.partial:
            data, tile = store.fetch(tile.full.path), Tile(ENTRIES, tile.index)
        if data is None:
            raise UnavailableError(
                "a bundle of the own log is missing", where=tile.path, remedy="run `pellucid fsck` on this home"
            )
        yield from parse_bundle(data, tile)[start - tile.first :]
        start = tile.first + tile.width


def _parsed(entries: Iterator[bytes]) -> Iterator[Parsed]:
    for entry in entries:
        try:
            yield parse_statement(Envelope.parse(entry, where="entry"), PREDICATES)
        except EvidenceError:
            continue


def _named(release: Release, digests: list[str], statement: str) -> Live:
    return {artifact.name: (sha256, statement) for artifact, sha256 in zip(release.artifacts, digests, strict=False)}


def _same_author(home: Home, parsed: Parsed) -> bool:
    """Tell whether a withdrawal is the node's own party's; others' count once the index has looked at their keys."""
    return parsed.envelope.verified_by(home.keys[Role.PARTY])
