"""The peer of `verify`: PyPI's `sigstore verify identity`, offline, on a bundle made for the file to be checked.

The bundle comes from npm's `@sigstore/mock`, a whole Sigstore in one process, and is trusted through
`--trust-config`; so no public service and no network is part of what is timed. It carries what a bundle of the
public instance carries at the least (certificate with SCT, inclusion promise, inclusion proof, checkpoint) and
no timestamp of a timestamping authority, which would only cost the peer more.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.harness import Command, PeerError, capture, progress

RECIPE = Path(__file__).with_name("sigstore_mock")
RECIPE_FILES = ("package.json", "package-lock.json", "make_bundle.mjs")
INSTALL_TIMEOUT = 300.0


@dataclass(frozen=True, slots=True)
class SigstorePeer:
    """A sigstore client with a bundle that it accepts for one file and refuses for any other."""

    program: Path
    version: str
    bundle: Path
    trust_config: Path
    identity: str
    issuer: str

    def verify(self, file: Path, *, accepts: bool = True) -> Command:
        """Return the command that checks `file`, expected to accept it or to refuse it."""
        return Command(
            name=f"sigstore verify identity, {'intact' if accepts else 'changed'} file",
            arguments=(
                *(str(self.program), "--trust-config", str(self.trust_config)),
                *("verify", "identity", "--offline", "--bundle", str(self.bundle)),
                *("--cert-identity", self.identity, "--cert-oidc-issuer", self.issuer),
                str(file),
            ),
            expected=frozenset({0 if accepts else 1}),
            failure=PeerError,
        )


def prepare(file: Path, scratch: Path) -> SigstorePeer:
    """Find sigstore, make a bundle of `file` in `scratch` and return both; raises PeerError with the remedy."""
    program = Path(sys.executable).with_name("sigstore")
    told = capture([str(program), "--version"])
    if told.returncode != 0 or not told.stdout.startswith("sigstore "):
        raise PeerError(
            f"sigstore does not run: {told.stderr.strip()[-500:]}",
            where=str(program),
            remedy="`./dev bench` installs it from requirements/bench.txt",
        )
    scratch.mkdir(parents=True, exist_ok=True)
    made = capture([_program("node"), str(_mock(scratch) / "make_bundle.mjs"), str(file), str(scratch)])
    if made.returncode != 0:
        raise PeerError(f"no bundle could be made: {made.stderr.strip()[-500:]}", where="@sigstore/mock")
    signer = json.loads(made.stdout)
    return SigstorePeer(
        program=program,
        version=told.stdout.split()[1],
        bundle=scratch / "bundle.sigstore.json",
        trust_config=scratch / "trust_config.json",
        identity=signer["identity"],
        issuer=signer["issuer"],
    )


def _mock(scratch: Path) -> Path:
    """Return a folder with the recipe and its npm packages, installed once for each state of the recipe."""
    state = hashlib.sha256(b"".join((RECIPE / name).read_bytes() for name in RECIPE_FILES)).hexdigest()
    folder = scratch.parent / f"sigstore-mock-{state[:12]}"
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in RECIPE_FILES:
        shutil.copyfile(RECIPE / name, folder / name)
    progress("npm: installing @sigstore/mock")
    done = capture(
        [_program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        timeout=INSTALL_TIMEOUT,
    )
    if done.returncode != 0:
        raise PeerError(
            f"@sigstore/mock could not be installed: {done.stderr.strip()[-500:]}",
            where="npm ci",
            remedy="the registry that npm is set to must be reachable for the first run",
        )
    (folder / "complete").touch()
    return folder


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise PeerError(
            f"{name} is not installed; it makes the bundle that sigstore verifies",
            where="sigstore verify identity",
            remedy="apt-get install nodejs npm",
        )
    return found
