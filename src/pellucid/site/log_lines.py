"""How the server's own log is written: UTC to the millisecond, one line for each message, nothing that breaks out."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

_FORMAT = "{asctime} {levelname} {name}: {message}"


class LogLines(logging.Formatter):
    """Writes `2026-01-02T03:04:05.678Z LEVEL logger: message`; the lines of a traceback after it are indented.

    Whatever steers a terminal or begins a new line in a message is written as an escape sequence.
    """

    def __init__(self) -> None:
        super().__init__(_FORMAT, style="{")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002 - theirs
        """Return when it was said, with its zone."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """Return the line, with everything that is not printable escaped."""
        return _printable(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 - the library's name
        """Return a traceback, indented so that no line of it passes for one of the log."""
        text = super().formatException(ei)  # type: ignore[arg-type]  # what the library hands over
        return "\n".join("    " + _printable(line) for line in text.splitlines())


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
