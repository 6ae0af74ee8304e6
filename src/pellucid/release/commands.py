"""`release init` and `publish`: from a folder to a manifest, from a manifest to a logged release."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path
from typing import Any

from pellucid.desk import Desk, Outcome, Submission, add_passphrase_argument
from pellucid.errors import InputError, UnavailableError
from pellucid.release.draft import look_around, shipped_files, source_archive, write_draft
from pellucid.release.manifest import load_manifest
from pellucid.release.predicate import ReleaseKind
from pellucid.release.publish import Prepared, prepare, refuse_second
from pellucid.statement.dsse import IN_TOTO, sign_payload
from pellucid.statement.keys import Role
from pellucid.statement.tree import TreeIdentity
from pellucid.terminal import progress
from pellucid.unpack import identify, sole_top_directory

_WAIT = 30.0
_UNPUBLISHED = 3


class Draft:
    """Draft a release.toml from what lies in a folder and its dist/: archives, wheels, packages, a git repository.

    Nothing is logged. Check every line before you publish.
    """

    EXAMPLES = """
  pellucid release init .
  pellucid release init build --product scanner --version 4.2 --kind update
"""

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="init")
        init = actions.add_parser("init", help="draft release.toml")
        init.add_argument("folder", type=Path, metavar="DIR", help="what you are about to ship")
        init.add_argument("--product", help="default: as the files are named")
        init.add_argument("--version", help="default: as the files are named")
        init.add_argument("--kind", choices=[kind.value for kind in ReleaseKind], default="software")
        init.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: DIR/release.toml")

    @staticmethod
    def run(args: argparse.Namespace) -> Outcome:
        """Write the draft."""
        output = (args.output or args.folder / "release.toml").absolute()
        if output.exists():
            raise InputError("exists already", where=str(output), remedy="change it by hand, or name another --output")
        if output.parent != args.folder.absolute():
            raise InputError(
                "a manifest lies in the folder it describes", where=str(output), remedy=f"write it to {args.folder}"
            )
        head = _head(args.folder)
        archive = source_archive(shipped_files(args.folder)) if head is None else None
        found = look_around(
            args.folder,
            head=head,
            sole_root=sole_top_directory(args.folder / archive) if archive else None,
            product=args.product,
            version=args.version,
        )
        try:
            with output.open("x") as file:
                file.write(write_draft(found, args.kind))
        except OSError as error:
            raise UnavailableError(f"cannot be written: {error.strerror}", where=str(output)) from error
        load_manifest(output)
        json = {"manifest": str(output), "product": found.product, "version": found.version, "files": list(found.files)}
        words = f"{output}: {found.product} {found.version}, {len(found.files)} artifacts"
        return Outcome(json, f"{words}\ncheck it, then: pellucid publish {output}")


class Publish:
    """Log a release, an update or a rule set, as its release.toml describes it.

    Every file is hashed, the source tree identified, the statement signed with the node's party key and logged; then
    you may ship. Nothing is logged if a file changes meanwhile, or if another release has its place.
    Exit 3: it is logged durably, but its quorum has not cosigned it yet; run the same command again to see whether
    it has.
    """

    EXAMPLES = """
  pellucid publish release.toml
  pellucid --home vendor publish release.toml --json
"""

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("manifest", type=Path, metavar="release.toml")
        parser.add_argument(
            "--wait", type=float, default=_WAIT, metavar="SECONDS", help="for the quorum to cosign (default 30)"
        )
        add_passphrase_argument(parser)

    @staticmethod
    def run(args: argparse.Namespace) -> Outcome:
        """Publish it."""
        desk: Desk = args.open_desk()
        manifest = load_manifest(args.manifest)
        key = desk.key(Role.PARTY)
        with progress(f"hashing {len(manifest.artifacts)} artifacts and the source", unit="") as shown:
            prepared = prepare(manifest, _identify)
            shown.advance()
        envelope = sign_payload(IN_TOTO, prepared.statement.payload(), key)
        table = manifest.file.release
        with desk.publishing():
            refuse_second(prepared, desk.live_releases(table.product, table.version), envelope.id)
            prepared.require_unchanged()
            submission = desk.submit(envelope)
        if submission.accepted:
            submission = desk.follow(submission, wait=max(0.0, args.wait))
        code = _UNPUBLISHED if submission.accepted and not submission.published else submission.exit_code
        return Outcome(_json(prepared, submission), _words(prepared, submission), code)


def _identify(path: Path, rev: str | None, root: str | None) -> TreeIdentity:
    return identify(path, rev=rev, root=root)


def _json(prepared: Prepared, submission: Submission) -> dict[str, Any]:
    table, source = prepared.manifest.file.release, prepared.source
    artifacts = [
        {"name": artifact.name, "path": str(file.path.absolute()), "sha256": file.sha256, "size": file.size}
        for (_, artifact), file in zip(prepared.manifest.artifacts, prepared.artifacts, strict=True)
    ]
    fields = ("sha256", "sha1", "swhid", "files", "size")
    tree = {name: getattr(source, name) for name in fields} if source else None
    return {
        "product": table.product,
        "version": table.version,
        "artifacts": artifacts,
        "source": tree,
        **submission.as_json(),
    }


def _words(prepared: Prepared, submission: Submission) -> str:
    table, source = prepared.manifest.file.release, prepared.source
    lines = [f"{table.product} {table.version}"]
    lines += [
        f"  {file.sha256}  {artifact.name}"
        for (_, artifact), file in zip(prepared.manifest.artifacts, prepared.artifacts, strict=True)
    ]
    lines.append(f"source tree {source.sha256}, {source.files} files" if source else "no source tree is named")
    return "\n".join([*lines, submission.words()])


def _head(folder: Path) -> str | None:
    """Return the commit that a git repository at `folder` stands at; None if it is no top of one, or git is missing."""
    if not (folder / ".git").exists():
        return None
    command = ["git", "-C", str(folder), "rev-parse", "--verify", "HEAD^{commit}"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() if found.returncode == 0 else None
