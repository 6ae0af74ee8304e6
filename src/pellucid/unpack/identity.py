"""The one way from a source, whatever its form, to its members and its identity."""

from __future__ import annotations

import os
from collections.abc import Collection, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from pellucid.statement.tree import Mode, PathRegister, TreeError, TreeHasher, TreeIdentity
from pellucid.unpack.directory import directory_members
from pellucid.unpack.errors import UnpackError
from pellucid.unpack.git import GitRevision
from pellucid.unpack.limits import Budget, Limits, exceeded
from pellucid.unpack.links import LinkCheck
from pellucid.unpack.member import Member, TreeSource, held
from pellucid.unpack.stream import BZIP2, GZIP, XZ, ByteStream, Decompressed, open_archive
from pellucid.unpack.tar import tar_members
from pellucid.unpack.tar_header import BLOCK, has_checksum
from pellucid.unpack.zip import zip_members
from pellucid.unpack.zip_directory import END, LOCAL

_ZSTD = b"\x28\xb5\x2f\xfd"


def identify(
    source: Path | TreeSource, *, rev: str | None = None, root: str | None = None, limits: Limits | None = None
) -> TreeIdentity:
    """Return the identity of a source tree, the same for a directory, git revision, tar or zip of the same content.

    `rev` reads that revision of the git repository at `source`; `root` names the one top directory that holds the tree.
    Raises UnpackError, naming the member and a remedy, for what no source tree can be; SourceReadError when reading
    fails.
    """
    limits = limits or Limits()
    tree = _as_source(source, rev, root)
    hasher = TreeHasher(path_length=limits.path_length, depth=limits.depth)
    revision = GitRevision(tree, limits) if tree.rev is not None else None
    try:
        with closing(_walk(tree, limits, revision)) as found:
            for member in found:
                if member.mode is None:
                    hasher.add_empty_directory(member.path)
                elif member.copy_of is not None:
                    hasher.add_copy(member.path, member.copy_of)
                else:
                    hasher.add(member.path, member.mode, member.size, member.chunks())
    except TreeError as error:
        raise _in_source(tree, error) from error
    identity = hasher.finish()
    if revision is not None:
        revision.check(identity.members, tree.prefix)
    return identity


def members(
    source: Path | TreeSource, *, rev: str | None = None, root: str | None = None, limits: Limits | None = None
) -> Iterator[Member]:
    """Yield the files, links and directories of a source, refusing all that `identify` refuses.

    Some refusals (links that lead out, damage at the end) come only after the last member: use nothing before the end.
    """
    limits = limits or Limits()
    tree = _as_source(source, rev, root)
    register = PathRegister(path_length=limits.path_length, depth=limits.depth)
    try:
        for member in _walk(tree, limits):
            if member.mode is None:
                register.add_directory(member.path)
            else:
                register.add_file(member.path)
            yield member
    except TreeError as error:
        raise _in_source(tree, error) from error


def read_members(
    source: TreeSource, wanted: Collection[bytes], *, limits: Limits | None = None
) -> Iterator[tuple[tuple[bytes, ...], Member]]:
    """Yield the content of the files at the wanted paths: each member with all the wanted paths that have its content.

    There is more than one path only where a tar has hard links. Wanted paths that do not exist are passed over.
    """
    limits = limits or Limits()
    paths = set(wanted)
    copies: dict[bytes, list[bytes]] = {}
    with closing(_walk(source, limits, only={source.prefix + path for path in paths})) as found:
        for member in found:
            if member.path in paths and member.mode is not None:
                if member.copy_of is None:
                    yield (member.path,), member
                else:
                    copies.setdefault(member.copy_of, []).append(member.path)
    if copies:
        with closing(_walk(source, limits)) as found:
            for member in found:
                if member.path in copies and member.copy_of is None:
                    yield tuple(copies[member.path]), member


def sole_top_directory(source: Path | TreeSource, *, limits: Limits | None = None) -> str | None:
    """Return the name of the one directory that everything in an archive lies in, or None when there is no such.

    It is what a person may write as `root`; nothing strips it by itself.
    """
    top: bytes | None = None
    with closing(_walk(_as_source(source, None, None), limits or Limits())) as found:
        for member in found:
            first, slash, _ = member.path.partition(b"/")
            if (top is not None and first != top) or (not slash and member.mode is not None):
                return None
            top = first
    return None if top is None else os.fsdecode(top)


def _as_source(source: Path | TreeSource, rev: str | None, root: str | None) -> TreeSource:
    if isinstance(source, TreeSource):
        if rev is not None or root is not None:
            raise UnpackError("`rev` and `root` are given twice", where=str(source), remedy="give them in one place")
        return source
    return TreeSource(source, rev, root)


def _in_source(source: TreeSource, error: TreeError) -> UnpackError:
    return UnpackError(error.what, where=f"{source}: {error.where}", remedy=error.remedy)


def _walk(
    source: TreeSource,
    limits: Limits,
    revision: GitRevision | None = None,
    only: Collection[bytes] | None = None,
) -> Generator[Member, None, None]:
    """Yield the members of a source below its root, within the limits and with their links checked.

    Of a revision, where others can be passed over at no cost, `only` the files at these paths in it may be asked for.
    """
    budget = Budget(limits, source.at)
    archive = source.rev is None and not _is_directory(source)
    links = LinkCheck(source)
    root = _Root(source)
    for member in _forms(source, limits, revision, only):
        budget.spend(member.path, member.size)
        found = root.below(member)
        if found is None:
            continue
        if found.copy_of is not None:
            links.add_copy(found.path, found.copy_of)
        elif found.mode is Mode.SYMLINK:
            target = _target(found, source, limits)
            links.add(found.path, target)
            found = Member(found.path, found.mode, len(target), held(target))
        yield found
    root.finish()
    # A directory or a repository is not unpacked from a stranger's file: there a link is content and no trap.
    if archive:
        links.finish()


def _is_directory(source: TreeSource) -> bool:
    try:
        return source.path.is_dir()
    except OSError as error:
        raise UnpackError(
            f"cannot be read: {error.strerror}", where=str(source), remedy="give yourself the right to read it"
        ) from error


def _forms(
    source: TreeSource, limits: Limits, revision: GitRevision | None, only: Collection[bytes] | None
) -> Iterator[Member]:
    if source.rev is not None:
        yield from (revision or GitRevision(source, limits)).members(only)
    elif _is_directory(source):
        yield from directory_members(source, limits)
    else:
        with open_archive(source) as file:
            yield from _archive(file, source, limits)


def _archive(file: BinaryIO, source: TreeSource, limits: Limits) -> Iterator[Member]:
    """Choose the reader by the first bytes, never by the name."""
    start = os.pread(file.fileno(), BLOCK, 0)
    stream: ByteStream = file
    if start.startswith((LOCAL, END)):
        yield from zip_members(file, source, limits)
        return
    magic = next((magic for magic in (GZIP, BZIP2, XZ) if start.startswith(magic)), None)
    if magic is not None:
        stream = Decompressed(file, magic, source, limits)
    elif not _is_tar(start):
        raise _unknown(start, source)
    yield from tar_members(stream, source, limits)


def _is_tar(start: bytes) -> bool:
    return len(start) == BLOCK and (start == bytes(BLOCK) or has_checksum(start))


def _unknown(start: bytes, source: TreeSource) -> UnpackError:
    if start.startswith(_ZSTD):
        return UnpackError(
            "it is compressed with zstd, which is not read here",
            where=str(source),
            remedy="unpack it with `zstd -d` and give the tar",
        )
    return UnpackError(
        "it is no tar, tar.gz, tar.bz2, tar.xz or zip from its first byte on",
        where=str(source),
        remedy="give an undamaged archive with nothing before it, a directory, or a git repository with a revision",
    )


def _target(member: Member, source: TreeSource, limits: Limits) -> bytes:
    if member.size > limits.link_length:
        raise exceeded(f"it is a link longer than {limits.link_length} bytes", where=source.at(member.path))
    target = b"".join(member.chunks())
    if not target or b"\0" in target:
        raise UnpackError(
            "it is a link whose target is empty or holds a NUL byte",
            where=source.at(member.path),
            remedy="remove the link, or point it at a file of the tree",
        )
    return target


class _Root:
    """The one top directory that a person named, and the refusal of everything beside it."""

    def __init__(self, source: TreeSource) -> None:
        self._source = source
        self._seen = source.root is None
        self._prefix = b""
        if source.root is not None:
            if source.root in {"", ".", ".."} or "/" in source.root:
                raise UnpackError(
                    f"{source.root!r} cannot be the root: it is the name of one top directory",
                    where=str(source),
                    remedy='give a name such as "pkg-1.0"',
                )
            self._prefix = source.prefix

    def below(self, member: Member) -> Member | None:
        """Return the member as it lies below the root, None for the root itself."""
        if not self._prefix:
            return member
        if member.mode is None and member.path + b"/" == self._prefix:
            return None
        if not member.path.startswith(self._prefix):
            raise UnpackError(
                f"it lies outside of the root {self._source.root!r}",
                where=self._source.at(member.path),
                remedy="name the directory that holds everything, or leave the root out",
            )
        self._seen = True
        cut = len(self._prefix)
        copy_of = None if member.copy_of is None else member.copy_of[cut:]
        return Member(member.path[cut:], member.mode, member.size, member.chunks, copy_of)

    def finish(self) -> None:
        """Refuse a root that nothing lies in."""
        if not self._seen:
            raise UnpackError(
                f"there is no directory {self._source.root!r} with anything in it",
                where=str(self._source),
                remedy="look at the names in the archive",
            )
