"""Check what a node promised you: your statement, in its log, published and seen by others in time.

Exit 0: kept, or the node did refuse and said why. Exit 1: late, broken, or the receipt is forged. Exit 3: cannot be
told now, because the log cannot be read or the promise is not due yet.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pellucid.commands.verify import read_rules
from pellucid.desk import Outcome
from pellucid.errors import InputError
from pellucid.record.card import NodeCard
from pellucid.record.client import NodeClient
from pellucid.record.home import Home
from pellucid.record.receipts import Promiser, ReceiptReport, Standing, check_receipt
from pellucid.record.settings import SETTINGS_FILE
from pellucid.record.sources import Nodes, cosigned
from pellucid.statement.dsse import ENVELOPE_LIMIT
from pellucid.statement.keys import PublicKey, Role
from pellucid.storage.files import FileObjects
from pellucid.tlog.checkpoint import SignedCheckpoint
from pellucid.tlog.cosignature import cosignatures
from pellucid.tlog.reader import FileTiles, LogReader
from pellucid.trust.keyring import Held
from pellucid.trust.policy import KeyUse

EXAMPLES = """
  pellucid receipt check 5d2f….receipt.json --policy policy.toml
  pellucid receipt check 5d2f….receipt.json --from http://127.0.0.1:8402
  pellucid --home center receipt check center/receipts/5d2f….receipt.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="check")
    check = actions.add_parser("check", help="did what it promises happen")
    check.add_argument("file", type=Path, metavar="FILE", help="a receipt, as every submission leaves one")
    known = check.add_mutually_exclusive_group()
    known.add_argument("--policy", type=Path, metavar="P.toml", help="whose keys, nodes and mirrors to go by")
    known.add_argument("--from", dest="source", metavar="URL", help="the node itself, by the card it shows")


def run(args: argparse.Namespace) -> Outcome:
    """Check the receipt by a policy, by the node's own card, or by the cards that the home holds."""
    data = _read(args.file)
    if args.policy is not None:
        promisers = _of_policy(args.policy)
    elif args.source is not None:
        promisers = [_of_node(args.source)]
    elif (args.home / SETTINGS_FILE).is_file():
        promisers = _of_home(args.home)
    else:
        raise InputError(
            "nobody's keys are given to check it by", where="receipt check", remedy="give --policy FILE or --from URL"
        )
    report = check_receipt(data, promisers, int(time.time()), where=str(args.file))
    found = {"receipt": str(args.file.absolute()), **report.as_json()}
    return Outcome(found, "\n".join(_words(report)), report.exit_code)


def _words(report: ReceiptReport) -> Sequence[str]:
    head = f"{report.standing.value}: {report.why}"
    if report.standing is Standing.REFUSED:
        return [head, f"  by {report.log} on {report.received}, about {report.subject}"]
    lines = [head, f"  statement {report.subject}", f"  entry {report.index} of {report.log}"]
    lines += [f"  received {report.received}, due {report.due}"]
    return [*lines, *(f"  note: {text}" for text in report.told)]


def _of_policy(path: Path) -> Sequence[Promiser]:

    rules = read_rules(path)
    nodes = Nodes(rules.policy, rules.keyring)

    def promiser(held: Held, key: PublicKey) -> Promiser:
        quorum = rules.keyring.quorum(held.verifier.name)
        return Promiser(
            origin=held.verifier.name,
            key=key,
            shown=lambda: ((n.name, nodes.reader(held, n), n.name == held.node.name) for n in nodes.showing(held)),
            dated=lambda signed: quorum.logged_time(cosigned(signed, held, rules.keyring)),
        )

    return [
        promiser(held, PublicKey.from_base64(entry.key))
        for held in rules.keyring.logs.values()
        for entry in held.node.keys(KeyUse.NODE)
    ]


def _of_node(url: str) -> Promiser:

    client = NodeClient(url)
    card = client.card()
    reader = LogReader(client.tiles(card.name, mirrored=False), card.verifier(Role.LOG))
    return Promiser(card.name, card.keys[Role.NODE], lambda: [(url, reader, True)], lambda _signed: None)


def _of_home(path: Path) -> Sequence[Promiser]:
    """Return the home's own node, read from disk, and all its peers, read where they answer."""
    home = Home.find(path)
    quorum = home.quorum()

    def dated(signed: SignedCheckpoint) -> int | None:
        return quorum.logged_time(cosignatures(signed.note, quorum.verifiers))

    own = LogReader(FileTiles(FileObjects(home.log_folder)), home.verifier(Role.LOG))
    name = home.settings.name
    found = [Promiser(name, home.keys[Role.NODE], lambda: [(str(home.log_folder), own, True)], dated)]
    return [*found, *(_of_peer(home, card) for card in home.peers())]


def _of_peer(home: Home, card: NodeCard) -> Promiser:

    log = card.verifier(Role.LOG)

    def shown() -> Iterator[tuple[str, LogReader, bool]]:
        if card.card.url is not None:
            yield card.card.url, LogReader(NodeClient(card.card.url).tiles(card.name, mirrored=False), log), True
        yield "this home's mirror", LogReader(FileTiles(FileObjects(home.mirror_folder(card.log_id))), log), False

    return Promiser(card.name, card.keys[Role.NODE], shown, lambda _signed: None)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(ENVELOPE_LIMIT + 1)
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="give the file that a submission left behind"
        ) from error
