"""The names inside archives: one plain spelling, or a refusal."""

from __future__ import annotations

import re

from pellucid.unpack.errors import UnpackError
from pellucid.unpack.member import TreeSource

_DRIVE = re.compile(rb"[A-Za-z]:(/|$)")


def is_absolute(name: bytes) -> bool:
    """Tell whether a name starts at the top of a file system, also with a drive letter."""
    return name[:1] == b"/" or _DRIVE.match(name) is not None


def archive_path(name: bytes, source: TreeSource) -> bytes:
    """Return an archive's name for a member without "./", doubled and trailing slashes; b"" is the top itself.

    Raises UnpackError for absolute names, also with a drive letter, for ".." and for NUL bytes. Other bytes are kept as
    they are, whatever their encoding.
    """
    if is_absolute(name):
        raise _refusal("its name is absolute", name, source)
    if b"\0" in name:
        raise _refusal("its name holds a NUL byte", name, source)
    if not name:
        raise _refusal("its name is empty", name, source)
    parts = [part for part in name.split(b"/") if part not in {b"", b"."}]
    if b".." in parts:
        raise _refusal("its name leads out of the tree with '..'", name, source)
    return b"/".join(parts)


def _refusal(what: str, name: bytes, source: TreeSource) -> UnpackError:
    return UnpackError(
        what, where=source.at(name), remedy="do not unpack it; ask its author for an archive with plain relative names"
    )
