"""How far two source trees lie apart: what review debt rests on, defined so that anybody gets the same figures."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from pellucid import __version__
from pellucid.source import predicate
from pellucid.source.lines import Comparison, compare_lines, line_count, split_lines
from pellucid.statement.tree import Mode, TreeFile, TreeIdentity
from pellucid.unpack import Limits, Member, TreeSource, UnpackError, identify, read_members

TEXT_LIMIT = 16 << 20
LINE_LIMIT = 4096
WORK_LIMIT = 1 << 38


@dataclass(frozen=True, slots=True)
class Delta:
    """How the tree `target` differs from the tree `base`, both sha256 tree ids in hex.

    Computed as follows, and by nothing else; paths are compared as bytes, renames are a removal and an addition.

    * A file is *added* or *removed* when its path is in one tree only, *changed* when mode or blob id differ. Links are
      files whose content is their target.
    * A file is *binary* when a side of it holds a NUL byte or a line of more than 4,096 bytes, or has more than
      16 MiB: what no person reads line by line must not pass as a line. `binary_changed` counts the binary files that
      were added or removed or whose content changed; `binary_bytes` sums their sizes in the target. They have no lines.
    * A line ends with LF, which is part of it; what follows the last LF is a line too. All lines of an added file count
      as added, all of a removed one as removed. So do both sides of a file that became a link, or a link a file.
    * A changed text of n lines that becomes one of m has D = n + m - 2 LCS lines added and removed, LCS being the
      length of a longest common subsequence: (D + m - n) / 2 are added and (D + n - m) / 2 are removed.
    * Work is bounded. Take the two lists of lines; drop their longest common start, then their longest common end from
      what is left; drop the lines that do not occur on the other side; drop the common start and end again. Let a and b
      lines be left, with an edit distance d. Changed texts are taken in the order of their paths, and each adds
      min(a b, 2^34) to the work. The file is *rewritten*, n lines removed and m added, an upper bound, when this takes
      the work beyond 2^38, which then keeps its value, or when a b > 2^34 and d > 1,000. `rewritten_files` counts them;
      where it is 0, all figures are exact.
    """

    base: str
    target: str
    files_added: int
    files_removed: int
    files_changed: int
    lines_added: int
    lines_removed: int
    binary_changed: int
    binary_bytes: int
    rewritten_files: int

    def predicate(self) -> predicate.Delta:
        """Return what is signed about these figures; the tree `target` is its subject."""
        figures = {name: getattr(self, name) for name in self.__slots__ if name != "target"}
        return predicate.Delta(**figures, tool=predicate.Tool(name="pellucid", version=__version__))


def measure_delta(base: TreeSource, target: TreeSource, *, limits: Limits | None = None) -> Delta:
    """Measure how far `target` lies from `base`; both may be of any form that `identify` reads.

    Each source is read once for its identity and once more for what changed. Raises what `identify` does, and
    UnpackError when a source changed between the two readings.
    """
    old, new = identify(base, limits=limits), identify(target, limits=limits)
    return measure_between(base, old, target, new, limits=limits)


def measure_between(
    base: TreeSource, old: TreeIdentity, target: TreeSource, new: TreeIdentity, *, limits: Limits | None = None
) -> Delta:
    """Measure as `measure_delta` does, where the identities are known already."""
    before = {file.path: file for file in old.members}
    after = {file.path: file for file in new.members}
    differing = [path for path in sorted(before.keys() | after.keys()) if not _same(before.get(path), after.get(path))]
    recounted = [path for path in differing if not _same_content(before.get(path), after.get(path))]
    with tempfile.TemporaryFile() as spool:
        texts = _Texts(spool, set(recounted), limits)
        texts.load(base, before)
        texts.load(target, after)
        sums = _sum_up(recounted, before, after, texts)
    return Delta(
        base=old.sha256,
        target=new.sha256,
        files_added=sum(path not in before for path in differing),
        files_removed=sum(path not in after for path in differing),
        files_changed=sum(path in before and path in after for path in differing),
        lines_added=sums["added"],
        lines_removed=sums["removed"],
        binary_changed=sums["binary"],
        binary_bytes=sums["binary_bytes"],
        rewritten_files=sums["rewritten"],
    )


def _same(old: TreeFile | None, new: TreeFile | None) -> bool:
    return old is not None and new is not None and old.mode == new.mode and _same_content(old, new)


def _same_content(old: TreeFile | None, new: TreeFile | None) -> bool:
    """Tell whether no line needs counting: the same bytes, and not a link on one side only."""
    if old is None or new is None:
        return False
    return old.blob_sha256 == new.blob_sha256 and (old.mode is Mode.SYMLINK) == (new.mode is Mode.SYMLINK)


def _sum_up(
    paths: Iterable[bytes], before: dict[bytes, TreeFile], after: dict[bytes, TreeFile], texts: _Texts
) -> Counter[str]:
    sums: Counter[str] = Counter()
    for path in paths:
        old, new = before.get(path), after.get(path)
        if texts.is_binary(old) or texts.is_binary(new):
            sums["binary"] += 1
            sums["binary_bytes"] += new.size if new else 0
            continue
        result = _compare(old, new, texts, WORK_LIMIT - sums["work"])
        sums["added"] += result.added
        sums["removed"] += result.removed
        sums["rewritten"] += result.rewritten
        sums["work"] += result.work
    return sums


def _compare(old: TreeFile | None, new: TreeFile | None, texts: _Texts, work_left: int) -> Comparison:
    if old is None or new is None or (old.mode is Mode.SYMLINK) != (new.mode is Mode.SYMLINK):
        added = line_count(texts.content(new)) if new else 0
        removed = line_count(texts.content(old)) if old else 0
        return Comparison(added, removed, rewritten=False, work=0)
    return compare_lines(split_lines(texts.content(old)), split_lines(texts.content(new)), work_left=work_left)


class _Texts:
    """The contents to compare, on disk and not in memory, by blob id; of binary ones only that they are binary."""

    def __init__(self, spool: BinaryIO, paths: set[bytes], limits: Limits | None) -> None:
        self._spool = spool
        self._paths = paths
        self._limits = limits
        self._places: dict[str, tuple[int, int] | None] = {}

    def load(self, source: TreeSource, files: dict[bytes, TreeFile]) -> None:
        """Read the texts of one side; raises UnpackError when a file is not what it was when it was identified."""
        wanted = {path: files[path] for path in self._paths if path in files and files[path].size <= TEXT_LIMIT}
        missing = set(wanted)
        if wanted:
            for paths, member in read_members(source, wanted, limits=self._limits):
                self._keep(source, member, [wanted[path] for path in paths])
                missing.difference_update(paths)
        if missing:
            raise _changed(source, min(missing))

    def is_binary(self, file: TreeFile | None) -> bool:
        """Tell whether a side of a file has no lines that could be compared."""
        return file is not None and self._places.get(file.blob_sha256) is None

    def content(self, file: TreeFile) -> bytes:
        """Return the content of a text that was loaded."""
        place = self._places[file.blob_sha256]
        offset, size = place or (0, 0)
        self._spool.seek(offset)
        return self._spool.read(size)

    def _keep(self, source: TreeSource, member: Member, files: list[TreeFile]) -> None:
        if member.size != files[0].size:
            raise _changed(source, files[0].path)
        content = b"".join(member.chunks())
        blob = hashlib.sha256(b"blob %d\0" % len(content) + content).hexdigest()
        for file in files:
            if file.blob_sha256 != blob:
                raise _changed(source, file.path)
        if blob not in self._places:
            self._places[blob] = self._append(content) if _is_text(content) else None

    def _append(self, content: bytes) -> tuple[int, int]:
        offset = self._spool.seek(0, 2)
        self._spool.write(content)
        return offset, len(content)


def _is_text(content: bytes) -> bool:
    return b"\0" not in content and all(len(line) <= LINE_LIMIT for line in split_lines(content))


def _changed(source: TreeSource, path: bytes) -> UnpackError:
    return UnpackError(
        "it changed after the tree was identified", where=source.at(path), remedy="try again when nothing writes to it"
    )
