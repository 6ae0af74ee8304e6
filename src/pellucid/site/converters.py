"""Parts of addresses that are hashes."""

from __future__ import annotations


class Hex64:
    """A SHA-256 in lowercase hexadecimal."""

    regex = "[0-9a-f]{64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
