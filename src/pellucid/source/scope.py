"""How much there is to read: files and lines of a tree, and of the parts of it that were not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pellucid.errors import InputError
from pellucid.source.delta import TEXT_LIMIT
from pellucid.source.lines import line_count
from pellucid.source.predicate import Exclusion
from pellucid.statement.tree import TreeIdentity
from pellucid.unpack import TreeSource, read_members

_MOST_EXCLUSIONS = 200


@dataclass(frozen=True, slots=True)
class Extent:
    """What a tree holds: files, and lines of its text files; binary files (see `Delta`) have none."""

    files: int
    lines: int
    by_path: Mapping[bytes, int]


def count_lines(source: TreeSource, tree: TreeIdentity) -> Extent:
    """Count the lines of every file of a tree that was identified."""
    texts = [file.path for file in tree.members if file.size <= TEXT_LIMIT]
    lines = dict.fromkeys((file.path for file in tree.members), 0)
    for paths, member in read_members(source, texts):
        content = b"".join(member.chunks())
        count = 0 if b"\0" in content else line_count(content)
        lines.update(dict.fromkeys(paths, count))
    return Extent(len(lines), sum(lines.values()), lines)


def exclude(tree: TreeIdentity, extent: Extent, paths: Sequence[str]) -> tuple[Exclusion, ...]:
    """Return the files at or below `paths` as exclusions, each by its git blob id; InputError if there are none."""
    found: dict[str, Exclusion] = {}
    for path in paths:
        wanted = path.strip("/").encode()
        below = [f for f in tree.members if f.path == wanted or f.path.startswith(wanted + b"/")]
        if not below:
            raise InputError("is not in the tree", where=path[:200], remedy="give a path from the root of the tree")
        for file in below:
            found[file.blob_sha256] = Exclusion(sha256=file.blob_sha256, lines=extent.by_path[file.path])
    if len(found) > _MOST_EXCLUSIONS:
        raise InputError(
            f"{len(found)} files are left out, a review names {_MOST_EXCLUSIONS} at most",
            remedy="review less as a tree of its own, or leave less out",
        )
    return tuple(found.values())
