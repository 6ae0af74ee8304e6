"""What a command gives back, and what it may ask of the home that it was started on."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pellucid.statement.commitment import Opening
    from pellucid.statement.dsse import Envelope
    from pellucid.statement.keys import Role, SecretKey


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command found: `json` for `--json`, `text` for people, and the exit code (0 yes, 1 no)."""

    json: Mapping[str, Any]
    text: str
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Submission:
    """A submitted statement: the node's signed answer, where it was kept, and how far publication has come.

    `index` and `due` are None when the node refused, for `reason`. `published` tells whether a checkpoint with its
    quorum covers the entry; `cosigned_by` are the names on it, `missing` is who was asked and has not cosigned, and why
    where it is known; `wanting` is what the quorum still lacks.
    """

    statement: str
    log: str
    index: int | None
    due: str | None
    reason: str | None
    receipt: Path
    published: bool = False
    required: int = 0
    cosigned_by: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    wanting: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the node logs it."""
        return self.index is not None

    @property
    def exit_code(self) -> int:
        """0 if it is logged, 1 if it was refused."""
        return 0 if self.accepted else 1

    def as_json(self) -> dict[str, Any]:
        """Return what every submitting command tells under `--json`."""
        return {
            "statement": self.statement,
            "accepted": self.accepted,
            "reason": self.reason,
            "log": self.log,
            "index": self.index,
            "due": self.due,
            "receipt": str(self.receipt),
            "published": self.published,
            "cosigned_by": list(self.cosigned_by),
            "quorum": {"required": self.required, "missing": list(self.missing), "wanting": list(self.wanting)},
        }

    def words(self) -> str:
        """Return the same for people."""
        if not self.accepted:
            refusal = f"refused by {self.log}: {self.reason}; nothing was logged"
            return f"{refusal}\nits signed refusal: {self.receipt}"
        lines = [f"statement {self.statement}", f"entry {self.index} of {self.log}"]
        if not self.published:
            lines.append(f"logged durably, not published yet; due {self.due}")
            lines += [f"  {text}" for text in self.wanting]
            lines += [f"  missing: {name}" for name in self.missing]
        elif self.cosigned_by:
            lines.append(f"cosigned by {', '.join(self.cosigned_by)}")
        else:
            lines.append("not cosigned by anyone independent")
        return "\n".join([*lines, f"receipt: {self.receipt}"])


class Desk(Protocol):
    """The home of a node, as commands of every floor see it."""

    home: Path

    def key(self, role: Role) -> SecretKey:
        """Open the home's own key of a role; asks for the passphrase where it has to."""

    def open_key(self, path: Path, role: Role) -> SecretKey:
        """Open a key file, of this home or not; refuses one of another role."""

    def live_releases(self, product: str, version: str) -> Mapping[str, tuple[str, str]]:
        """Return artifact name -> (SHA-256, statement id) of what this node's own log holds and nobody withdrew."""

    def publishing(self) -> AbstractContextManager[None]:
        """Keep other `publish` commands on this home waiting during the block."""

    def keep_private(self, name: str, data: bytes) -> Path:
        """Keep what must not be published, readable by the owner only; returns where it lies."""

    def publish_opening(self, opening: Opening) -> None:
        """Show the fields of a commitment on this node's pages, until they are erased."""

    def erase_names(self, key: str) -> int:
        """Forget what this node shows of the identities committed to for a key; return how many were shown."""

    def submit(self, envelope: Envelope, *, wait: float = 0.0) -> Submission:
        """Have the home's node log a statement, and wait at most `wait` seconds for its publication."""

    def follow(self, submission: Submission, *, wait: float) -> Submission:
        """Wait at most `wait` seconds for the publication of what this home's node has logged."""

    def submit_to(self, url: str, envelope: Envelope) -> Submission:
        """Have another node log a statement; the receipt is kept in this home, or beside the caller."""


def add_passphrase_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option of every command that opens a key."""
    parser.add_argument(
        "--passphrase-file",
        metavar="FILE",
        type=Path,
        help="what opens the keys (else $PELLUCID_PASSPHRASE_FILE, systemd's pellucid-passphrase, HOME/passphrase, "
        "or asked for)",
    )
