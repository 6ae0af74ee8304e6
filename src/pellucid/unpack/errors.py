"""What can be wrong with a stranger's archive, directory or revision."""

from __future__ import annotations

from pellucid.errors import InputError, UnavailableError


class UnpackError(InputError):
    """The source cannot be used as it is; `where` names it and the member concerned."""


class SourceReadError(UnavailableError):
    """Reading the source failed: a disk, or a program that is missing."""
