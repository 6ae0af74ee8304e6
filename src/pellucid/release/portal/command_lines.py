"""The commands that a page gives for a file, as one can paste them into a shell."""

from __future__ import annotations


def pack_line(name: str) -> str:
    """Return the command that collects the evidence on a file."""
    return f"pellucid pack {quoted(name)} --policy policy.toml -o {quoted(name)}.evidence.json"


def verify_line(name: str) -> str:
    """Return the command that gives the verdict on a file."""
    return f"pellucid verify {quoted(name)} --pack {quoted(name)}.evidence.json --policy policy.toml"


def quoted(name: str) -> str:
    """Write a name so that a POSIX shell takes it as one word."""
    plain = all(char.isalnum() or char in "@%+=:,./_-" for char in name) and not name.startswith("-")
    return name if plain else "'" + name.replace("'", "'\"'\"'") + "'"
