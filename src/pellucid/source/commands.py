"""Identify source trees, measure how far two lie apart, and sign reviews of them.

A source is a directory, an archive, or a git repository with its --rev. The same content gives the same identity in
every form; only the sha256 tree id decides.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from pellucid.desk import Desk, Outcome, add_passphrase_argument
from pellucid.errors import InputError, UnavailableError
from pellucid.source.delta import measure_between
from pellucid.source.predicate import DELTA, Independence, Payer, Result, ReviewOf, tree_subject
from pellucid.source.review import Finding, ReviewFile, ReviewTable, Subjects, in_words, review_statement
from pellucid.source.scope import count_lines, exclude
from pellucid.statement.digest import is_sha256, sha256_file
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import Role, SecretKey
from pellucid.statement.predicate import make_statement
from pellucid.statement.tree import TreeIdentity
from pellucid.terminal import ask_yes, is_interactive, progress, say
from pellucid.toml_file import load_toml
from pellucid.unpack import TreeSource, identify, sole_top_directory

EXAMPLES = """
  pellucid source tree scanner-4.2.tar.gz --root scanner-4.2
  pellucid source tree . --rev v4.2
  pellucid source delta scanner-4.1 scanner-4.2 --log
  pellucid source review scanner-4.2 --key reviewer.key --criterion no-backdoor --result pass \\
      --independence independent --paid-by reviewer --minutes 2400 --expires 2028-01-01
  pellucid source review scanner-4.3 --base scanner-4.2 --from review.toml --key reviewer.key -o review.dsse.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="tree|delta|review")
    tree = actions.add_parser("tree", help="the identity of a source tree")
    tree.add_argument("source", type=Path, metavar="SOURCE")
    _add_form(tree, "")
    delta = actions.add_parser("delta", help="how far two source trees lie apart")
    delta.add_argument("base", type=Path, metavar="BASE")
    delta.add_argument("target", type=Path, metavar="TARGET")
    _add_form(delta, "base-")
    _add_form(delta, "")
    delta.add_argument("--log", action="store_true", help="sign it as a delta statement and have it logged")
    review = actions.add_parser("review", help="sign a review, of a source tree, an update or a rule set")
    _add_review(review)
    for action in (delta, review):
        action.add_argument(
            "--key", type=Path, metavar="FILE", help="a party's key file (default: the home's party key)"
        )
        action.add_argument("--to", metavar="URL", help="the node that shall log it (default: the home's)")
        action.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the signed envelope, log nothing")
        add_passphrase_argument(action)


def run(args: argparse.Namespace) -> Outcome:
    """Do what the action says."""
    return {"tree": _tree, "delta": _delta, "review": _review}[args.action](args)


def _add_form(parser: argparse.ArgumentParser, prefix: str) -> None:
    whose = "BASE's " if prefix else ""
    parser.add_argument(f"--{prefix}rev", metavar="REV", help=f"{whose}git revision, where it is a repository")
    parser.add_argument(
        f"--{prefix}root", metavar="DIR", help=f"{whose}one top directory that is the tree (default: the whole)"
    )


def _add_review(review: argparse.ArgumentParser) -> None:
    review.add_argument("subject", metavar="SUBJECT", help="a source, a file, or the 64 hex digits of its identity")
    _add_form(review, "")
    review.add_argument("--from", dest="file", type=Path, metavar="TOML", help="[review] and [[finding]]; options win")
    review.add_argument("--of", choices=[of.value for of in ReviewOf], help="default: source")
    review.add_argument("--base", metavar="BASE", help="a delta review: what changed since this source")
    _add_form(review, "base-")
    review.add_argument("--result", choices=[result.value for result in Result], help="your conclusion")
    review.add_argument("--criterion", action="append", metavar="WORD", help="what you judged; several times")
    review.add_argument(
        "--independence", choices=[how.value for how in Independence], help="how you stand to the vendor"
    )
    review.add_argument("--paid-by", choices=[payer.value for payer in Payer])
    review.add_argument("--minutes", type=int, metavar="N", help="time spent")
    review.add_argument("--expires", metavar="T", help="until when it holds, such as 2028-01-01")
    review.add_argument("--exclude", action="append", metavar="PATH", help="a file or folder you did not read")
    review.add_argument("--scope-files", type=int, metavar="N", help="default: counted")
    review.add_argument("--scope-lines", type=int, metavar="N", help="default: counted")
    review.add_argument("--yes", action="store_true", help="sign without asking")


def _tree(args: argparse.Namespace) -> Outcome:
    source = _source(args.source, args.rev, args.root)
    tree = _identified(source)
    json = {
        "source": str(source.path.absolute()),
        "rev": source.rev,
        "root": source.root,
        "sha256": tree.sha256,
        "sha1": tree.sha1,
        "swhid": tree.swhid,
        "files": tree.files,
        "size": tree.size,
        "empty_directories": tree.empty_directories,
        "collisions": tree.collisions,
    }
    lines = [f"gitTree:{tree.sha256}", f"git tree  {tree.sha1}", f"SWHID     {tree.swhid or 'none of the same value'}"]
    lines.append(f"{tree.files} files, {tree.size} bytes" + (f", below {source.root}" if source.root else ""))
    return Outcome(json, "\n".join(lines))


def _delta(args: argparse.Namespace) -> Outcome:
    base, target = _source(args.base, args.base_rev, args.base_root), _source(args.target, args.rev, args.root)
    with progress("measuring the delta", unit="") as shown:
        delta = measure_between(base, identify(base), target, identify(target))
        shown.advance()
    statement = make_statement((tree_subject(delta.target),), DELTA, delta.predicate())
    measured = asdict(delta)
    lines = [
        f"from {measured['base']}",
        f"to   {measured['target']}",
        "files: {files_added} added, {files_removed} removed, {files_changed} changed".format_map(measured),
        f"{measured['lines_added']} lines added, {measured['lines_removed']} removed",
        f"{measured['binary_changed']} binary files changed, {measured['binary_bytes']} bytes",
    ]
    if not args.log and args.output is None:
        return Outcome(measured, "\n".join(lines))
    return _spoken(args, statement, measured, lines)


def _review(args: argparse.Namespace) -> Outcome:
    said, findings = _said(args)
    statement, opening = review_statement(said, findings, _subjects(args, said))
    say(in_words(statement))
    say(f"\nThe statement, exactly:\n{statement.payload().decode()}\n")
    if not args.yes:
        if not is_interactive():
            raise InputError("nobody can be asked whether to sign", where="source review", remedy="add --yes")
        if not ask_yes("Sign it?"):
            raise InputError("not signed", where="source review", remedy="say it again as you mean it")
    extra: dict[str, Any] = {"review": statement.as_json(), "opening": None}
    if opening is not None:
        desk: Desk = args.open_desk()
        extra["opening"] = str(
            desk.keep_private(f"findings-{opening.root[:16]}.opening.json", msgspec.json.encode(opening))
        )
    return _spoken(args, statement, extra, [])


def _said(args: argparse.Namespace) -> tuple[ReviewTable, tuple[Finding, ...]]:
    file = load_toml(args.file, ReviewFile) if args.file else ReviewFile(review=ReviewTable())
    names = ("of", "result", "independence", "paid_by", "minutes", "expires", "exclude", "scope_files", "scope_lines")
    options = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    if args.criterion:
        options["criteria"] = args.criterion
    try:
        said = msgspec.convert({**msgspec.to_builtins(file.review), **options}, ReviewTable)
    except msgspec.ValidationError as error:
        raise InputError(f"{error}", where="source review", remedy="mend that option") from None
    return said, file.finding


def _subjects(args: argparse.Namespace, said: ReviewTable) -> Subjects:
    """Identify and count what was reviewed, as far as it is at hand."""
    counts = (said.scope_files, said.scope_lines)
    if said.of is not ReviewOf.SOURCE or is_sha256(args.subject):
        if said.exclude or (is_sha256(args.subject) and None in counts):
            raise InputError(
                "what is left out and the scope can only be counted in a source at hand",
                where=args.subject[:200],
                remedy="give the source itself, or --scope-files and --scope-lines without --exclude",
            )
        files, lines = said.scope_files or 1, said.scope_lines or 0
        return Subjects(_digest(args.subject), _digest(args.base) if args.base else None, files, lines, ())
    source = _source(Path(args.subject), args.rev, args.root)
    tree = _identified(source)
    with progress(f"counting lines of {tree.files} files", unit="") as shown:
        extent = count_lines(source, tree)
        shown.advance()
    files, lines, base = extent.files, extent.lines, None
    if args.base is not None and is_sha256(args.base):
        base = args.base
    elif args.base is not None:
        origin = _source(Path(args.base), args.base_rev, args.base_root)
        measured = measure_between(origin, before := identify(origin), source, tree)
        base = before.sha256
        files = measured.files_added + measured.files_removed + measured.files_changed
        lines = measured.lines_added + measured.lines_removed
    counted = [given if given is not None else own for given, own in zip(counts, (files, lines), strict=True)]
    return Subjects(tree.sha256, base, counted[0], counted[1], exclude(tree, extent, said.exclude))


def _digest(text: str) -> str:
    return text if is_sha256(text) else sha256_file(Path(text))


def _source(path: Path, rev: str | None, root: str | None) -> TreeSource:
    """Return the source; where an archive has one top directory and no `root` is given, that is said, not guessed."""
    if not path.exists():
        raise InputError("does not exist", where=str(path), remedy="give a directory, an archive or a git repository")
    if rev is None and root is None and path.is_file() and (top := sole_top_directory(path)):
        say(f"note: all of {path} lies in {top}/, which is part of this tree; --root {top} gives the tree without it")
    return TreeSource(path, rev, root)


def _identified(source: TreeSource) -> TreeIdentity:
    with progress(f"identifying {source}", unit="") as shown:
        tree = identify(source)
        shown.advance()
    return tree


def _spoken(args: argparse.Namespace, statement: Statement, extra: dict[str, Any], lines: list[str]) -> Outcome:
    """Sign a statement, and write it to a file or have it logged."""
    desk: Desk = args.open_desk()
    key: SecretKey = desk.open_key(args.key, Role.PARTY) if args.key else desk.key(Role.PARTY)
    envelope: Envelope = sign_payload(IN_TOTO, statement.payload(), key)
    if args.output is not None:
        file = args.output.absolute()
        try:
            with file.open("xb") as out:
                out.write(envelope.to_bytes())
        except FileExistsError:
            raise InputError("exists already", where=str(file), remedy="name another --output") from None
        except OSError as error:
            raise UnavailableError(f"cannot be written: {error.strerror}", where=str(file)) from error
        json = {**extra, "statement": envelope.id, "file": str(file)}
        return Outcome(json, "\n".join([*lines, f"statement {envelope.id}", f"signed, not logged: {file}"]))
    submission = desk.submit_to(args.to, envelope) if args.to else desk.submit(envelope, wait=10.0)
    return Outcome({**extra, **submission.as_json()}, "\n".join([*lines, submission.words()]), submission.exit_code)
