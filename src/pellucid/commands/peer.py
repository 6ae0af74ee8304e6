"""Join this node with others: each gives the other its card, and both compare the fingerprint aloud.

A node witnesses and mirrors the logs of the nodes it has joined, and asks them to cosign its own.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pellucid.commands.passphrase import find_passphrase
from pellucid.desk import Outcome, add_passphrase_argument
from pellucid.errors import InputError, UnavailableError
from pellucid.record.card import NodeCard, read_card
from pellucid.record.home import Home
from pellucid.terminal import ask_yes, is_interactive, say

EXAMPLES = """
  pellucid peer invite -o vendor.card.json
  pellucid peer accept asia.card.json --quorum 2
  pellucid peer accept asia.card.json --fingerprint '01234 …'
  pellucid peer list
  pellucid peer remove log.asia.example/1
"""
_LIMIT = 65_535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="invite|accept|list|remove")
    invite = actions.add_parser("invite", help="write this node's card, for others to accept")
    invite.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: NAME.card.json here")
    invite.add_argument("--url", metavar="URL", help="the address that others are told, kept in the settings")
    add_passphrase_argument(invite)
    accept = actions.add_parser("accept", help="join with the node whose card this is")
    accept.add_argument("file", type=Path, metavar="FILE")
    accept.add_argument(
        "--fingerprint", metavar="F", help="what the other operator read aloud; needed if nobody is asked"
    )
    accept.add_argument("--quorum", type=int, metavar="N", help="from now on N operators must cosign this node's log")
    actions.add_parser("list", help="the nodes joined with, and what the quorum tolerates")
    remove = actions.add_parser("remove", help="part from a node; what was mirrored stays")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--quorum", type=int, metavar="N", help="from now on N operators must cosign this node's log")


def run(args: argparse.Namespace) -> Outcome:
    """Do what the action says."""
    home = Home.find(args.home)
    actions = {"invite": _invite, "accept": _accept, "list": _list, "remove": _remove}
    return actions[args.action](home, args)


def _invite(home: Home, args: argparse.Namespace) -> Outcome:
    passphrase = find_passphrase(args.passphrase_file, home.path)
    url = args.url or home.settings.url or home.node_url()
    if url is not None and url != home.settings.url:
        home.change(url=url)
    envelope = home.card(passphrase)
    card = read_card(envelope.to_bytes())
    file = (args.output or Path(f"{card.name.replace('/', '_')}.card.json")).absolute()
    try:
        file.write_bytes(envelope.to_bytes())
    except OSError as error:
        raise UnavailableError(f"cannot be written: {error.strerror}", where=str(file)) from error
    words = [f"card of {card.name}: {file}", f"fingerprint to compare aloud: {card.fingerprint}"]
    if card.card.url is not None:
        words.append(f"others are told to reach this node at {card.card.url}")
    else:
        words.append("it names no address: others cannot reach this node until it is accepted anew with --url URL")
    json = {"name": card.name, "card": str(file), "fingerprint": card.fingerprint, "url": card.card.url}
    return Outcome(json, "\n".join(words))


def _accept(home: Home, args: argparse.Namespace) -> Outcome:
    card = read_card(_read(args.file), where=str(args.file))
    if args.quorum is not None:
        _require_reachable(args.quorum, (_operators(home) | {card.card.operator}) - {home.settings.operator})
    _confirm(card, args)
    changed = home.add_peer(card)
    if args.quorum is not None:
        home.change(quorum=args.quorum)
    words = f"joined with {card.name} ({card.card.role}, {card.card.region}, run by {card.card.operator})"
    if not changed:
        words = f"{card.name} was joined already"
    json = {"name": card.name, "changed": changed, "fingerprint": card.fingerprint, **_quorum(home)}
    return Outcome(json, f"{words}\n{_quorum_words(home)}")


def _confirm(card: NodeCard, args: argparse.Namespace) -> None:
    """Have the fingerprint compared: by option, or by the person at the terminal."""
    if args.fingerprint is not None:
        if args.fingerprint.split() != card.fingerprint.split():
            raise InputError(
                f"the card's fingerprint is {card.fingerprint}, not the one given",
                where=str(args.file),
                remedy="ask the other operator for the card again; do not accept this one",
            )
        return
    if not is_interactive():
        raise InputError(
            f"nobody has compared the fingerprint {card.fingerprint}",
            where=str(args.file),
            remedy="let the other operator read theirs aloud, then give it as --fingerprint '…'",
        )
    say(f"{card.name} ({card.card.role}, {card.card.region}, run by {card.card.operator})")
    say(f"fingerprint: {card.fingerprint}")
    if not ask_yes("Did the other operator read the same digits aloud?"):
        raise InputError("not accepted", where=str(args.file), remedy="compare the fingerprint first")


def _list(home: Home, _args: argparse.Namespace) -> Outcome:
    peers = [_described(peer) for peer in home.peers()]
    lines = [
        f"{peer['name']}  {peer['role']}, {peer['region']}, {peer['operator']}, {peer['url'] or 'no address'}"
        f"\n  fingerprint {peer['fingerprint']}"
        for peer in peers
    ]
    lines = lines or ["joined with nobody"]
    return Outcome({"peers": peers, **_quorum(home)}, "\n".join([*lines, _quorum_words(home)]))


def _remove(home: Home, args: argparse.Namespace) -> Outcome:
    left = [peer for peer in home.peers() if peer.name != args.name]
    if len(left) == len(home.peers()):
        raise InputError(
            "is no peer of this node", where=args.name[:200], remedy="`pellucid peer list` names those that are"
        )
    quorum = home.settings.quorum if args.quorum is None else args.quorum
    _require_reachable(quorum, {peer.card.operator for peer in left} - {home.settings.operator})
    home.remove_peer(args.name)
    if args.quorum is not None:
        home.change(quorum=args.quorum)
    return Outcome({"name": args.name, **_quorum(home)}, f"parted from {args.name}\n{_quorum_words(home)}")


def _require_reachable(wanted: int, operators: set[str]) -> None:
    if not 0 <= wanted <= len(operators):
        raise InputError(
            f"a quorum of {wanted} could not be met: there would be {len(operators)} other operators",
            where="--quorum",
            remedy=f"give --quorum 0 to {len(operators)}, or join with more nodes first",
        )


def _operators(home: Home) -> set[str]:
    return {peer.card.operator for peer in home.peers()} - {home.settings.operator}


def _quorum(home: Home) -> dict[str, Any]:
    quorum = home.quorum()
    tolerance = quorum.tolerates()
    return {
        "quorum": {
            "required": quorum.required,
            "operators": len(_operators(home)),
            "tolerates": {"outages": tolerance.outages, "colluders": tolerance.colluders},
        }
    }


def _quorum_words(home: Home) -> str:
    required = home.settings.quorum
    if required == 0:
        return "quorum 0: what this node logs is not cosigned by anyone independent"
    tolerance = home.quorum().tolerates()
    return (
        f"quorum {required} of {len(_operators(home))} other operators: "
        f"tolerates {tolerance.outages} outages and {tolerance.colluders} colluders"
    )


def _described(peer: NodeCard) -> dict[str, Any]:
    card = peer.card
    return {
        "name": card.name,
        "role": card.role,
        "region": card.region,
        "operator": card.operator,
        "url": card.url,
        "log_key": card.log,
        "fingerprint": peer.fingerprint,
    }


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LIMIT + 1)
    except OSError as error:
        remedy = "give the card that the other node's `peer invite` wrote"
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), remedy=remedy) from error
