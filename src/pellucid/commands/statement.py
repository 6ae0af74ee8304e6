"""Sign, submit, show and withdraw statements: any in-toto Statement v1, also one made elsewhere."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from pellucid.capabilities import PREDICATES
from pellucid.desk import Desk, Outcome, add_passphrase_argument
from pellucid.errors import EvidenceError, InputError, UnavailableError
from pellucid.record.client import NodeClient
from pellucid.record.home import Home
from pellucid.record.views import NodeViews
from pellucid.statement.digest import is_sha256, parse_sha256
from pellucid.statement.dsse import ENVELOPE_LIMIT, IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import Role
from pellucid.statement.predicate import Parsed, make_statement, parse_statement
from pellucid.statement.types import WITHDRAWAL
from pellucid.tlog.tiles import MAX_ENTRY
from pellucid.trust.predicate import Withdrawal, WithdrawalReason, statement_subject

EXAMPLES = """
  pellucid statement sign provenance.json --key builder.key
  pellucid statement submit provenance.dsse.json
  pellucid statement submit review.dsse.json --to http://127.0.0.1:8402
  pellucid statement show 5d2f…64 hex digits… --from http://127.0.0.1:8402
  pellucid statement withdraw 5d2f…64 hex digits… --reason mistake
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="sign|submit|show|withdraw")
    sign = actions.add_parser("sign", help="wrap a Statement in a signed envelope, or sign an envelope too")
    sign.add_argument("file", type=Path, metavar="FILE", help="in-toto Statement v1 (JSON), or a DSSE envelope")
    sign.add_argument("--key", type=Path, metavar="FILE", help="a party's key file (default: the home's party key)")
    sign.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: FILE with .dsse.json")
    submit = actions.add_parser("submit", help="have a signed envelope logged")
    submit.add_argument("file", type=Path, metavar="FILE", help="a DSSE envelope (JSON)")
    submit.add_argument("--to", metavar="URL", help="the node that shall log it (default: the home's)")
    show = actions.add_parser("show", help="show a statement by its file or id")
    show.add_argument("what", metavar="ID|FILE")
    show.add_argument("--from", dest="source", metavar="URL", help="ask this node (default: look in the home)")
    withdraw = actions.add_parser("withdraw", help="take a statement back that the same key signed")
    withdraw.add_argument("statement", metavar="ID")
    withdraw.add_argument("--reason", required=True, choices=[reason.value for reason in WithdrawalReason])
    withdraw.add_argument("--replaced-by", metavar="ID", help="the statement that stands in its place")
    withdraw.add_argument("--key", type=Path, metavar="FILE", help="a party's key file (default: the home's party key)")
    withdraw.add_argument("--to", metavar="URL", help="the node that shall log it (default: the home's)")
    for action in (sign, submit, withdraw):
        add_passphrase_argument(action)


def run(args: argparse.Namespace) -> Outcome:
    """Do what the action says."""
    actions = {"sign": _sign, "submit": _submit, "show": _show, "withdraw": _withdraw}
    return actions[args.action](args)


def _sign(args: argparse.Namespace) -> Outcome:
    data = _read(args.file)
    output = (args.output or args.file.with_name(f"{args.file.name.removesuffix('.json')}.dsse.json")).absolute()
    if output.exists():
        raise InputError("exists already", where=str(output), remedy="name another file with --output")
    before = _envelope_or_none(data, str(args.file))
    payload = before.payload if before else _payload(data, str(args.file))
    desk: Desk = args.open_desk()
    key = desk.open_key(args.key, Role.PARTY) if args.key else desk.key(Role.PARTY)
    signed = sign_payload(before.payload_type if before else IN_TOTO, payload, key)
    if before:
        kept = tuple(s for s in before.signatures if s.keyid != key.public.id)
        signed = Envelope(before.payload_type, before.payload, (*kept, *signed.signatures))
    envelope = signed.to_bytes()
    if len(envelope) > MAX_ENTRY:
        remedy = "say it in fewer bytes: log the digest of what is large and keep the bytes beside the log"
        raise InputError(f"the envelope has {len(envelope)} bytes, a log takes {MAX_ENTRY}", remedy=remedy)
    parse_statement(signed, PREDICATES, where=str(args.file))
    _write(output, envelope)
    found = {"statement": signed.id, "file": str(output), "signed_by": key.public.id}
    return Outcome(found, f"statement {signed.id}\nsigned by key {key.public.id}\nin {output}")


def _submit(args: argparse.Namespace) -> Outcome:
    envelope = Envelope.parse(_read(args.file), where=str(args.file))
    return _submitted(args, envelope)


def _withdraw(args: argparse.Namespace) -> Outcome:
    subject = parse_sha256(args.statement, where="ID")
    replacement = parse_sha256(args.replaced_by, where="--replaced-by") if args.replaced_by else None
    predicate = Withdrawal(reason=WithdrawalReason(args.reason), replaced_by=replacement)
    statement = make_statement((statement_subject(subject),), PREDICATES[WITHDRAWAL], predicate)
    desk: Desk = args.open_desk()
    key = desk.open_key(args.key, Role.PARTY) if args.key else desk.key(Role.PARTY)
    return _submitted(args, sign_payload(IN_TOTO, statement.payload(), key))


def _submitted(args: argparse.Namespace, envelope: Envelope) -> Outcome:
    desk: Desk = args.open_desk()
    submission = desk.submit_to(args.to, envelope) if args.to else desk.submit(envelope, wait=10.0)
    return Outcome(submission.as_json(), submission.words(), submission.exit_code)


def _show(args: argparse.Namespace) -> Outcome:
    if is_sha256(args.what):
        home = None if args.source else Home.find(args.home)
        envelope, where = _asked(args.source, args.what) if home is None else _known(home, args.what)
    else:
        envelope = Envelope.parse(_read(Path(args.what)), where=args.what)
        where = []
    statement = Statement.parse(envelope.payload, where=args.what)
    kind, problem = _reading(envelope, args.what)
    found = {
        "id": envelope.id,
        "kind": kind,
        "problem": problem,
        "statement": statement.as_json(),
        "signatures": [signature.keyid for signature in envelope.signatures],
        "places": where,
    }
    return Outcome(found, _words(found))


def _reading(envelope: Envelope, where: str) -> tuple[str | None, str | None]:
    """Return the kind of a statement, and why it does not fit it."""
    try:
        parsed: Parsed = parse_statement(envelope, PREDICATES, where=where)
    except EvidenceError as error:
        return None, error.what
    return (parsed.kind.name if parsed.kind else None), None


def _words(found: dict[str, Any]) -> str:
    statement = found["statement"]
    kind = found["kind"] or statement["predicateType"]
    lines = [f"{kind}  {found['id']}"]
    if found["problem"]:
        lines.append(f"it does not fit its type: {found['problem']}")
    for subject in statement["subject"]:
        digests = ", ".join(f"{name}:{value}" for name, value in subject["digest"].items())
        lines.append(f"about   {subject.get('name', '')} {digests}".rstrip())
    lines += [f"key     {key} (claimed, not checked here)" for key in found["signatures"]]
    lines += [f"logged  entry {place['index']} of {place['log']}" for place in found["places"]]
    lines.append(json.dumps(statement["predicate"], indent=2, ensure_ascii=False))
    return "\n".join(lines)


def _asked(url: str, statement: str) -> tuple[Envelope, list[dict[str, Any]]]:
    """Return a statement as the node at `url` gives it, and where it stands."""
    answer = NodeClient(url).statement(statement)
    if answer is None:
        raise _unknown(url)
    return answer.envelope, [{"log": place.log, "index": place.index} for place in answer.places]


def _known(home: Home, statement: str) -> tuple[Envelope, list[dict[str, Any]]]:
    """Return a statement from the home's own log and mirrors, whether its node runs or not."""
    views = NodeViews(home, PREDICATES)
    record = views.statement(statement)
    entry = views.entry(record.places[0].log, record.places[0].index) if record and record.places else None
    if record is None or entry is None:
        raise _unknown(str(home.path))
    places = [{"log": place.log, "index": place.index} for place in record.places]
    return Envelope.parse(entry.data, where=statement), places


def _unknown(where: str) -> InputError:
    return InputError("no such statement is known here", where=where, remedy="ask another node with --from URL")


def _payload(data: bytes, where: str) -> bytes:
    """Return the bytes to sign: own types in canonical form, what others made exactly as it is."""
    statement = Statement.parse(data, where=where)
    return statement.payload() if statement.predicate_type in PREDICATES else data


def _envelope_or_none(data: bytes, where: str) -> Envelope | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    is_envelope = isinstance(value, dict) and "payloadType" in value
    return Envelope.parse(data, where=where) if is_envelope else None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(ENVELOPE_LIMIT + 1)
    except OSError as error:
        remedy = "give the path of a file that you may read"
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), remedy=remedy) from error
    if len(data) > ENVELOPE_LIMIT:
        raise InputError(
            f"more than {ENVELOPE_LIMIT} bytes, which no log entry can be",
            where=str(path),
            remedy="log the digest of what is large and keep the bytes beside the log",
        )
    return data


def _write(path: Path, data: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(data)
    except OSError as error:
        raise UnavailableError(f"cannot be written: {error.strerror}", where=str(path)) from error
