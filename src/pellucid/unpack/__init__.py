"""Bounded, hostile-proof reading of archives, directories and revisions: one way in for every stranger's bytes."""

from __future__ import annotations

from pellucid.unpack.errors import SourceReadError, UnpackError
from pellucid.unpack.identity import identify, members, read_members, sole_top_directory
from pellucid.unpack.limits import Limits
from pellucid.unpack.member import Member, TreeSource

__all__ = [
    "Limits",
    "Member",
    "SourceReadError",
    "TreeSource",
    "UnpackError",
    "identify",
    "members",
    "read_members",
    "sole_top_directory",
]
