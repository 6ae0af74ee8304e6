"""Where a log's files are read from: a store of our own, or a stranger's web server. Nothing is believed here."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Protocol

import msgspec

from pellucid.storage.objects import MAX_OBJECT, ObjectStore, check_path
from pellucid.tlog.checkpoint import origin_hash
from pellucid.tlog.listing import kept_sizes
from pellucid.tlog.merkle import MAX_SIZE

_MOST_KEPT = 1000
_KEPT_REPLY = 64 * 1024


class _Listing(msgspec.Struct):
    sizes: list[int]


class TileSource(Protocol):
    """The files of one log by their C2SP paths, and which of its checkpoints are kept."""

    def fetch(self, path: str, limit: int = MAX_OBJECT) -> bytes | None:
        """Return the bytes at `path` (`checkpoint`, `tile/…`, `checkpoints/…`), None if it has none.

        UnavailableError if it cannot be reached; an error too if there are more than `limit` bytes.
        """

    def kept(self, after: int, limit: int) -> Sequence[int]:
        """Return the sizes above `after` whose checkpoints are kept, ascending, at most `limit`."""


class FileTiles:
    """A `TileSource` on an object store."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store

    def fetch(self, path: str, limit: int = MAX_OBJECT) -> bytes | None:
        """See `TileSource.fetch`."""
        return self.store.fetch(path, limit)

    def kept(self, after: int, limit: int) -> Sequence[int]:
        """See `TileSource.kept`."""
        return list(islice(kept_sizes(self.store, after=after), limit))


class HttpTiles:
    """A `TileSource` on the log or mirror served at `url`; see `WebClient` for what bounds it.

    Kept checkpoints are listed by the node's API at `api` (default: `url`), for the log of this `origin`.
    """

    def __init__(
        self, url: str, origin: str, *, api: str | None = None, timeout: float = 10.0, deadline: float = 60.0
    ) -> None:
        # Imported here because checking an evidence pack must not pay for a network it never uses.
        from pellucid.tlog.web import WebClient  # noqa: PLC0415

        self.url = url
        self._files = WebClient(url, timeout=timeout, deadline=deadline)
        self._api = self._files if api in {None, url} else WebClient(api or url, timeout=timeout, deadline=deadline)
        self._listing = f"api/logs/{origin_hash(origin)}/checkpoints"

    def fetch(self, path: str, limit: int = MAX_OBJECT) -> bytes | None:
        """See `TileSource.fetch`; any status but 200, 404 and 410 is an error."""
        from pellucid.tlog.web import RemoteError  # noqa: PLC0415

        reply = self._files.get(check_path(path), limit=limit)
        if reply.status in {404, 410}:
            return None
        if reply.status != 200:
            raise RemoteError(f"answered with status {reply.status}", where=f"{self.url}/{path}")
        return reply.body

    def kept(self, after: int, limit: int) -> Sequence[int]:
        """See `TileSource.kept`; a server without this listing keeps none."""
        from pellucid.tlog.web import RemoteError  # noqa: PLC0415

        wanted = min(limit, _MOST_KEPT)
        reply = self._api.get(f"{self._listing}?after={after}&limit={wanted}", limit=_KEPT_REPLY)
        if reply.status == 404:
            return []
        sizes = _sizes(reply.body, after) if reply.status == 200 else None
        if sizes is None or len(sizes) > wanted:
            raise RemoteError("did not answer with a list of sizes", where=f"{self._api.url}/{self._listing}")
        return sizes

    def close(self) -> None:
        """Drop the connections."""
        self._files.close()
        self._api.close()


def _sizes(body: bytes, after: int) -> list[int] | None:
    """Read `{"sizes": [...]}`, or return None unless they are integers that ascend from above `after`."""
    try:
        sizes = msgspec.json.decode(body, type=_Listing).sizes
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    ascending = all(low < high for low, high in pairwise([after, *sizes, MAX_SIZE + 1]))
    return sizes if ascending else None
