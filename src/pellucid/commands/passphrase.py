"""Where passphrases come from."""

from __future__ import annotations

import getpass
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from pellucid.errors import InputError
from pellucid.terminal import is_interactive

_LIMIT = 4096
KEPT = "passphrase"


def given_passphrase(file: Path | None) -> bytes | None:
    """Return the passphrase of `--passphrase-file`, PELLUCID_PASSPHRASE_FILE or systemd; None if there is none."""
    for path in _places(file):
        return _read(path)
    return None


def find_passphrase(file: Path | None, home: Path) -> bytes:
    """Return the passphrase for the keys of `home`; the last resort is to ask. InputError if nobody can be asked."""
    found = given_passphrase(file)
    if found is None and (home / KEPT).is_file():
        found = _read(home / KEPT)
    return found if found is not None else ask_passphrase()


def ask_passphrase(*, confirm: bool = False) -> bytes:
    """Ask at the terminal, twice if a new key is sealed with the answer."""
    if not is_interactive():
        raise InputError(
            "no passphrase is given and nobody can be asked",
            remedy="give --passphrase-file FILE or set PELLUCID_PASSPHRASE_FILE",
        )
    answer = getpass.getpass("Passphrase: ")
    if not answer:
        raise InputError("an empty passphrase", remedy="give one")
    if confirm and getpass.getpass("Again: ") != answer:
        raise InputError("the two passphrases differ", remedy="try again")
    return answer.encode()


def new_passphrase(file: Path | None) -> tuple[bytes, bool]:
    """Return the passphrase for a new home, and whether it was made here and has to be kept."""
    found = given_passphrase(file)
    if found is not None:
        return found, False
    if is_interactive():
        return ask_passphrase(confirm=True), False
    return secrets.token_urlsafe(24).encode(), True


def _places(file: Path | None) -> Iterator[Path]:
    if file is not None:
        yield file
    if named := os.environ.get("PELLUCID_PASSPHRASE_FILE"):
        yield Path(named)
    if credentials := os.environ.get("CREDENTIALS_DIRECTORY"):
        path = Path(credentials) / "pellucid-passphrase"
        if path.is_file():
            yield path


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT + 1)
    except OSError as error:
        raise InputError(
            f"the passphrase cannot be read: {error.strerror}", where=str(path), remedy="name a file that you may read"
        ) from error
    passphrase = data.removesuffix(b"\n").removesuffix(b"\r")
    if not passphrase or len(data) > _LIMIT:
        raise InputError(f"holds no passphrase of 1 to {_LIMIT} bytes", where=str(path), remedy="write one line there")
    return passphrase
