"""Make and show keys: one key has one role, and its secret half lies encrypted in a file.

`prove` answers the challenge by which a node's portal asks whether a key is yours: what it signs can never pass for a
statement.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

from pellucid.commands.passphrase import KEPT, ask_passphrase, find_passphrase, given_passphrase
from pellucid.desk import Desk, Outcome, add_passphrase_argument
from pellucid.errors import InputError, UnavailableError
from pellucid.record.card import COSIGNERS
from pellucid.record.home import Home
from pellucid.signing.challenge import CHALLENGE_LIMIT, Challenge, answer
from pellucid.statement.keys import PublicKey, Role, generate_key, read_public, seal_key

EXAMPLES = """
  pellucid key new reviewer.key --name 'Example Reviewer'
  pellucid key show reviewer.key
  pellucid --home center key list
  pellucid key prove challenge.json --key reviewer.key
"""
_LIMIT = 4096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="new|list|show|prove")
    new = actions.add_parser("new", help="make a key in a new file", description="Make a key in a new file.")
    new.add_argument("file", type=Path, metavar="FILE")
    new.add_argument("--name", required=True, help="whose it is, as it stands in the file; it is not published")
    new.add_argument("--role", choices=[role.value for role in Role], default="party", help="default: party")
    add_passphrase_argument(new)
    actions.add_parser("list", help="the public keys of the home", description="List the public keys of the home.")
    show = actions.add_parser("show", help="the public half of a key file", description="Show a key's public half.")
    show.add_argument("file", type=Path, metavar="FILE")
    prove = actions.add_parser("prove", help="answer the challenge of a node where you enrol a key")
    prove.add_argument("challenge", type=Path, metavar="CHALLENGE", help="the file that the page gave you")
    prove.add_argument("--key", type=Path, metavar="FILE", required=True, help="the key file that you enrol")
    prove.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: CHALLENGE with .dsse.json")
    add_passphrase_argument(prove)


def run(args: argparse.Namespace) -> Outcome:
    """Do what the action says."""
    if args.action == "new":
        return _new(args)
    if args.action == "prove":
        return _prove(args)
    if args.action == "list":
        return _list(Home.find(args.home))
    return _shown(_described(args.file))


def read_key_file(path: Path) -> tuple[Role, str, PublicKey]:
    """Return role, name and public key of a key file; needs no passphrase."""
    try:
        with path.open("rb") as file:
            return read_public(file.read(_LIMIT + 1), where=str(path))
    except OSError as error:
        remedy = "give a file that `pellucid key new` made"
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), remedy=remedy) from error


def _new(args: argparse.Namespace) -> Outcome:
    path = args.file.absolute()
    if path.exists():
        raise InputError("exists already", where=str(path), remedy="name another file; keys are never overwritten")
    passphrase = given_passphrase(args.passphrase_file)
    if passphrase is None:
        kept = (args.home / KEPT).is_file()
        passphrase = find_passphrase(None, args.home) if kept else ask_passphrase(confirm=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(seal_key(generate_key(Role(args.role), args.name), passphrase))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UnavailableError(f"cannot be written: {error.strerror}", where=str(path)) from error
    return _shown(_described(path))


def _prove(args: argparse.Namespace) -> Outcome:
    path = args.challenge
    output = (args.output or path.with_name(f"{path.name.removesuffix('.json')}.dsse.json")).absolute()
    if output.exists():
        raise InputError("exists already", where=str(output), remedy="name another file with --output")
    try:
        with path.open("rb") as file:
            challenge = Challenge.parse(file.read(CHALLENGE_LIMIT + 1), where=str(path))
    except OSError as error:
        remedy = "give the file that the page gave you"
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), remedy=remedy) from error
    desk: Desk = args.open_desk()
    envelope = answer(challenge, desk.open_key(args.key, Role.PARTY), int(time.time()), where=str(path))
    try:
        with output.open("xb") as file:
            file.write(envelope.to_bytes())
    except OSError as error:
        raise UnavailableError(f"cannot be written: {error.strerror}", where=str(output)) from error
    found = {"file": str(output), "node": challenge.node, "account": challenge.account, "key": challenge.key}
    words = f"you told {challenge.node} that the account {challenge.account} holds\nkey {challenge.key}\nin {output}"
    return Outcome({**found, "custody": challenge.custody.value, "expires": challenge.expires}, words)


def _list(home: Home) -> Outcome:
    keys = []
    for role, public in home.keys.items():
        vkey = home.verifier(role).vkey if role in (Role.LOG, *COSIGNERS) else None
        file = home.path / "keys" / f"{role.value}.key"
        keys.append({"role": role.value, "id": public.id, "spki": public.spki_base64, "vkey": vkey, "file": str(file)})
    lines = [f"{key['role']:<8} {key['id']}  {key['vkey'] or key['spki']}" for key in keys]
    return Outcome({"home": str(home.path), "keys": keys}, "\n".join(lines))


def _described(path: Path) -> dict[str, Any]:
    role, name, public = read_key_file(path)
    return {
        "file": str(path.absolute()),
        "role": role.value,
        "name": name,
        "id": public.id,
        "spki": public.spki_base64,
    }


def _shown(key: dict[str, Any]) -> Outcome:
    return Outcome(key, "\n".join(f"{name:<5} {value}" for name, value in key.items()))
