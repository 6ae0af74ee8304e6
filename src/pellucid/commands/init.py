"""Make a node: its settings, and one key for each of its roles in an encrypted file."""

from __future__ import annotations

import argparse

import msgspec

from pellucid.commands.passphrase import KEPT, new_passphrase
from pellucid.desk import Outcome, add_passphrase_argument
from pellucid.errors import InputError
from pellucid.record.card import read_card
from pellucid.record.home import create_home
from pellucid.record.settings import Settings
from pellucid.statement.keys import Role

EXAMPLES = """
  pellucid init --role vendor --name log.vendor.example/1
  pellucid --home asia init --role center --name log.asia.example/1 --region asia --operator 'Center Asia'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--role", required=True, choices=["vendor", "center"], help="what this node is")
    parser.add_argument(
        "--name", required=True, metavar="ORIGIN", help="its log's name for ever: a host and path you own, no scheme"
    )
    parser.add_argument("--region", default="unspecified", metavar="R", help="where it stands, for policies")
    parser.add_argument("--operator", metavar="O", help="who runs it, for policies (default: the name)")
    parser.add_argument("--listen", metavar="HOST:PORT", help="where `serve` listens (default 127.0.0.1:8400)")
    parser.add_argument("--url", metavar="URL", help="the address that others are told")
    parser.add_argument("--quorum", type=int, default=0, metavar="N", help="operators that must cosign (default 0)")
    add_passphrase_argument(parser)


def run(args: argparse.Namespace) -> Outcome:
    """Make the home, complete or not at all."""
    given = {
        "name": args.name,
        "role": args.role,
        "region": args.region,
        "operator": args.operator or args.name,
        "quorum": args.quorum,
        **({"listen": args.listen} if args.listen else {}),
        **({"url": args.url} if args.url else {}),
    }
    try:
        settings = msgspec.convert(given, Settings)
    except msgspec.ValidationError as error:
        raise InputError(f"cannot be a setting: {error}", where="pellucid init", remedy="mend that option") from None
    passphrase, is_made = new_passphrase(args.passphrase_file)
    home = create_home(args.home, settings, passphrase, keep_passphrase=is_made)
    card = read_card(home.card(passphrase).to_bytes())
    kept = home.path / KEPT if is_made else None
    json = {
        "home": str(home.path),
        "name": settings.name,
        "role": settings.role,
        "region": settings.region,
        "operator": settings.operator,
        "log_key": home.verifier(Role.LOG).vkey,
        "party_key": home.keys[Role.PARTY].id,
        "fingerprint": card.fingerprint,
        "passphrase_file": str(kept) if kept else None,
    }
    lines = [f"made the {settings.role} {settings.name} in {home.path}", f"log key: {json['log_key']}"]
    if kept:
        lines.append(f"nobody could be asked for a passphrase: one was made, and lies in {kept} (readable by you only)")
    lines.append("next: `pellucid serve` runs it; `pellucid peer invite` introduces it to others")
    return Outcome(json, "\n".join(lines))
