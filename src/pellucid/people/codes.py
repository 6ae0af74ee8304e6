"""One-time codes of invitations: told by voice or on paper, never by the mail that carries the address."""

from __future__ import annotations

import re
import secrets

GROUPS = 8
DIGITS = 5
MOST_TRIES = 5
LONGEST_TYPED = 80

_NOT_DIGITS = re.compile(r"[\s.\-–—]+")  # noqa: RUF001 - dashes that word processors put in


def new_code() -> str:
    """Return 8 groups of 5 random decimal digits (132 bits), separated by spaces."""
    return " ".join(f"{secrets.randbelow(10**DIGITS):0{DIGITS}}" for _ in range(GROUPS))


def typed_code(text: str) -> str | None:
    """Return the digits of a code as somebody typed it, with whatever between the groups; None if it cannot be one."""
    digits = _NOT_DIGITS.sub("", text)
    return digits if len(digits) == GROUPS * DIGITS and digits.isascii() and digits.isdecimal() else None
