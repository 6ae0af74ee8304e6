"""Say what a party's key may be believed in, or that it no longer may.

An accreditation counts for those whose policy names the accreditor. `revoke --retired` spares what was logged before
it; `revoke --compromised-since T` voids what was logged after T. `erase` forgets the name that this node shows for a
key: the log never held it, and the commitment that stays there says nothing.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from pellucid.capabilities import PREDICATES
from pellucid.commands.key import read_key_file
from pellucid.desk import Desk, Outcome, add_passphrase_argument
from pellucid.errors import InputError
from pellucid.statement.commitment import Opening, commit
from pellucid.statement.digest import is_sha256
from pellucid.statement.dsse import IN_TOTO, sign_payload
from pellucid.statement.keys import PublicKey, Role
from pellucid.statement.moment import format_time, parse_time
from pellucid.statement.predicate import make_statement
from pellucid.statement.types import PARTY
from pellucid.trust.predicate import Custody, Party, PartyAction, PartyRole, key_subject

EXAMPLES = """
  pellucid --home center party accredit reviewer.key --role reviewer --name 'Example Reviewer'
  pellucid --home center party revoke reviewer.key --retired
  pellucid --home center party revoke 3f…64 hex digits… --compromised-since 2026-11-01
  pellucid --home center party erase reviewer.key
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="accredit|revoke|erase")
    accredit = actions.add_parser("accredit", help="log that a key speaks in some roles")
    accredit.add_argument("key", metavar="KEY", help="a key file, or the key itself as `key show` prints it (spki)")
    accredit.add_argument(
        "--role",
        action="append",
        required=True,
        choices=[role.value for role in PartyRole],
        help="may stand several times",
    )
    accredit.add_argument(
        "--name", help="whose key it is: committed to in the log, shown by this node, and erasable there"
    )
    accredit.add_argument("--affiliation", help="where they belong; as --name")
    accredit.add_argument("--expires", metavar="T", help="until when, such as 2028-01-01")
    accredit.add_argument(
        "--custody", choices=[c.value for c in Custody], default="file", help="where the secret key is kept"
    )
    revoke = actions.add_parser("revoke", help="log that a key no longer speaks")
    revoke.add_argument("key", metavar="KEY", help="a key file, the key itself (spki), or its id")
    how = revoke.add_mutually_exclusive_group(required=True)
    how.add_argument("--retired", action="store_true", help="what was logged before still counts")
    how.add_argument("--compromised-since", metavar="T", help="what was logged after T is void")
    erase = actions.add_parser("erase", help="forget the name that this node shows for a key")
    erase.add_argument("key", metavar="KEY", help="a key file, the key itself (spki), or its id")
    for action in (accredit, revoke):
        action.add_argument("--key", dest="signer", type=Path, metavar="FILE", help="sign with this party key instead")
        add_passphrase_argument(action)


def run(args: argparse.Namespace) -> Outcome:
    """Sign the statement with the home's party key and have it logged."""
    if args.action == "erase":
        return _erase(args)
    opening: Opening | None = None
    if args.action == "accredit":
        subject, predicate, opening = _accreditation(args)
    else:
        subject, predicate = _revocation(args)
    statement = make_statement((key_subject(subject),), PREDICATES[PARTY], predicate)
    desk: Desk = args.open_desk()
    signer = desk.open_key(args.signer, Role.PARTY) if args.signer else desk.key(Role.PARTY)
    submission = desk.submit(sign_payload(IN_TOTO, statement.payload(), signer), wait=10.0)
    if opening is not None and submission.accepted:
        desk.publish_opening(opening)
    words = f"{predicate.action.value}: key {subject}\n{submission.words()}"
    return Outcome({"key": subject, **submission.as_json()}, words, submission.exit_code)


def _accreditation(args: argparse.Namespace) -> tuple[str, Party, Opening | None]:
    public = _public_key(args.key)
    if public is None:
        raise InputError(
            "an accreditation carries the whole key, not only its id",
            where=args.key[:100],
            remedy="give the key file, or the spki that `pellucid key show` prints",
        )
    expires = format_time(parse_time(args.expires, where="--expires")) if args.expires else None
    identity = {"name": args.name, "affiliation": args.affiliation}
    said = {field: text for field, text in identity.items() if text}
    opening = commit(said)[1] if said else None
    roles = tuple(PartyRole(role) for role in dict.fromkeys(args.role))
    party = Party(
        action=PartyAction.ACCREDIT,
        roles=roles,
        spki=public.spki_base64,
        custody=Custody(args.custody),
        expires=expires,
        identity=opening.root if opening else None,
    )
    return public.id, party, opening


def _revocation(args: argparse.Namespace) -> tuple[str, Party]:
    public = _public_key(args.key)
    key_id = public.id if public else args.key
    if args.retired:
        return key_id, Party(action=PartyAction.RETIRE, since=format_time(int(time.time())))
    since = parse_time(args.compromised_since, where="--compromised-since")
    if since > time.time():
        raise InputError("lies in the future", where="--compromised-since", remedy="give the time it happened")
    return key_id, Party(action=PartyAction.COMPROMISED, since=format_time(since))


def _erase(args: argparse.Namespace) -> Outcome:
    public = _public_key(args.key)
    key = public.id if public else args.key
    erased = args.open_desk().erase_names(key)
    words = "the name is forgotten here" if erased else "this node shows no name"
    return Outcome({"key": key, "erased": erased}, f"key {key}: {words}")


def _public_key(text: str) -> PublicKey | None:
    """Return the key that a key file or an spki holds; None for a key id."""
    if is_sha256(text):
        return None
    if not Path(text).exists() and len(text) == 60 and text.startswith("MCowBQYDK2VwAyEA"):
        return PublicKey.from_base64(text, where="KEY")
    role, _, public = read_key_file(Path(text))
    if role is not Role.PARTY:
        raise InputError(
            f"this is a key for the role {role.value!r}; only party keys speak",
            where=text,
            remedy="give the key file of a party",
        )
    return public
