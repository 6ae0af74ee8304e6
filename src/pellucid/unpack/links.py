"""Where the symbolic links of an archive lead."""

from __future__ import annotations

from pellucid.unpack.errors import UnpackError
from pellucid.unpack.limits import exceeded
from pellucid.unpack.member import TreeSource
from pellucid.unpack.names import is_absolute

_HOPS = 40
_STEPS = 5_000_000


class LinkCheck:
    """Collects the links of one archive and refuses those that lead out of it, also through one another."""

    def __init__(self, source: TreeSource) -> None:
        self._source = source
        self._targets: dict[bytes, bytes] = {}
        self._steps = 0

    def add(self, path: bytes, target: bytes) -> None:
        """Take in a link."""
        self._targets[path] = target

    def add_copy(self, path: bytes, original: bytes) -> None:
        """Take in a hard link, which may be to a link and leads elsewhere when it lies elsewhere."""
        if original in self._targets:
            self._targets[path] = self._targets[original]

    def finish(self) -> None:
        """Raise UnpackError when a link leads out of the tree."""
        for path, target in self._targets.items():
            # Some systems take a backslash for a separator, and the target has to be harmless on both kinds.
            if any(self._leads_out(path, spelling) for spelling in {target, target.replace(b"\\", b"/")}):
                raise UnpackError(
                    "it is a link that leads out of the tree",
                    where=self._source.at(path),
                    remedy="do not unpack it; ask its author for an archive without such links",
                )

    def _leads_out(self, path: bytes, target: bytes) -> bool:
        """Walk a link as a file system does, step by step through other links."""
        at = path.split(b"/")[:-1]
        todo = target.split(b"/")[::-1]
        hops = 0
        if is_absolute(target):
            return True
        while todo:
            part = todo.pop()
            self._count()
            if part == b"..":
                if not at:
                    return True
                at.pop()
            elif part not in {b"", b"."}:
                at.append(part)
                onward = self._targets.get(b"/".join(at))
                if onward is not None:
                    hops += 1
                    if hops > _HOPS:
                        return False
                    at.pop()
                    todo.extend(onward.split(b"/")[::-1])
        return False

    def _count(self) -> None:
        self._steps += 1
        if self._steps > _STEPS:
            raise exceeded("its links are too many and too long to follow", where=str(self._source))
