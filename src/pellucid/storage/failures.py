"""What storage raises: every failed write or sync ends the process, so that recovery decides what is true.

FatalError
└── StorageError       a write, sync or read-back failed; it may or may not have reached the disk
    └── ConflictError  what is stored contradicts what was about to be stored
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from pellucid.errors import FatalError

RESTART = "mend the cause and start again: the log recovers from what is on disk, and nothing acknowledged is lost"


class StorageError(FatalError):
    """A write, a sync or a read of our own disk failed; only recovery can tell what was stored."""


class ConflictError(StorageError):
    """What is stored contradicts what was about to be stored; somebody else wrote, or a backup was restored."""


def storage_error(error: OSError, what: str, where: str) -> StorageError:
    """Return the error a person is told when the operating system refused `what` at `where`."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        remedy = "free some space on that disk and start again; nothing acknowledged is lost"
        return StorageError(f"{what}: the disk is full", where=where, remedy=remedy)
    return StorageError(f"{what}: {error.strerror or error}", where=where, remedy=RESTART)


@contextmanager
def fatal_io(what: str, where: str) -> Iterator[None]:
    """Turn any `OSError` of the block into a `StorageError` that says what was being done, and where."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, what, where) from error
