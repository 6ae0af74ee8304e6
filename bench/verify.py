"""`verify`: a verdict on an evidence pack against the check of a Sigstore bundle, both offline, on the same file.

Timed is what a person waits for: the whole process, from its start to its exit code. The pack, the file and the
policy are those of the demonstration, so the pack carries the statements of a vendor and a reviewer, the heads
of four logs with their cosignatures, inclusion and consistency proofs, and completeness answers.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.harness import (
    Bench,
    Better,
    Command,
    Options,
    Report,
    Row,
    WrongAnswerError,
    capture,
    interleave,
    progress,
)
from bench.sigstore_peer import SigstorePeer, prepare
from pellucid.errors import InputError

GOAL = 0.3
DEMO_TIMEOUT = 900.0
PACK_SUFFIX = ".evidence.json"


@dataclass(frozen=True, slots=True)
class OurCase:
    """A file, the evidence pack about it and the policy that the pack meets."""

    file: Path
    pack: Path
    policy: Path

    def verify(self, file: Path, *, accepts: bool = True) -> Command:
        """Return the command that gives the verdict on `file`, expected to be yes or no."""
        return Command(
            name=f"pellucid verify, {'intact' if accepts else 'changed'} file",
            arguments=(
                *(str(_pellucid()), "verify", str(file)),
                *("--pack", str(self.pack), "--policy", str(self.policy), "--json"),
            ),
            expected=frozenset({0 if accepts else 1}),
        )


def run(options: Options) -> Report:
    """Prepare both sides, see that each accepts the file and refuses a changed one, then time them in turn."""
    shutil.rmtree(options.scratch, ignore_errors=True)
    options.scratch.mkdir(parents=True)
    case = existing_case(options.home) if options.home else our_case(options.scratch)
    peer = prepare(case.file, options.scratch / "sigstore")
    _check_answers(case, peer, _changed_copy(case.file, options.scratch))
    floor = Command("interpreter start", (sys.executable, "-c", "pass"))
    ours, theirs, start = interleave([case.verify(case.file), peer.verify(case.file), floor], options.pairs)
    return Report(
        rows=(
            Row("verify a pack, wall time", ours, theirs, "s", Better.LOWER, GOAL),
            Row("interpreter start alone, wall time", start, theirs, "s", Better.LOWER, GOAL),
        ),
        peers={"sigstore": peer.version},
    )


VERIFY = Bench("verify", "the verdict on an evidence pack; peer: `sigstore verify identity --offline`", run)


def our_case(workdir: Path) -> OurCase:
    """Run the demonstration in `workdir` and return the first artifact of its first release."""
    home = workdir / "demo-home"
    progress(f"making a demo home in {home}")
    done = capture([str(_pellucid()), "demo", "--once", "--home", str(home), "--json"], timeout=DEMO_TIMEOUT)
    if done.returncode != 0:
        raise WrongAnswerError(
            f"ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-1000:]}",
            where="pellucid demo --once",
        )
    told = json.loads(done.stdout)
    release = told["releases"][0]
    return OurCase(Path(release["artifacts"][0]), Path(release["packs"][0]), Path(told["policy"]))


def existing_case(home: Path) -> OurCase:
    """Return the first pack in a demo home with its artifact, which has the pack's name without the suffix."""
    policy = home / "policy.toml"
    files = {path.name: path for path in sorted(home.rglob("*")) if path.is_file()}
    for name, pack in files.items():
        artifact = files.get(name.removesuffix(PACK_SUFFIX))
        if name.endswith(PACK_SUFFIX) and artifact is not None and policy.is_file():
            return OurCase(artifact, pack, policy)
    raise InputError(
        "no artifact with its evidence pack and a policy.toml here",
        where=str(home),
        remedy="give a home made by `pellucid demo --once --home DIR`, or leave --home out to have one made",
    )


def _check_answers(case: OurCase, peer: SigstorePeer, changed: Path) -> None:
    """See that the times to come are times of right answers; raises WrongAnswerError or PeerError."""
    progress("checking that both accept the file and refuse it with one byte changed")
    said = capture(case.verify(case.file).arguments)
    if said.returncode != 0 or json.loads(said.stdout).get("verdict") != "meets-policy":
        raise WrongAnswerError(
            f"ended with {said.returncode}: {(said.stderr or said.stdout).strip()[-1000:]}",
            where="pellucid verify",
            remedy="heads older than the policy's max_age need a new demo home",
        )
    case.verify(changed, accepts=False).time()
    peer.verify(case.file).time()
    peer.verify(changed, accepts=False).time()


def _changed_copy(file: Path, folder: Path) -> Path:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    copy = folder / f"changed-{file.name}"
    copy.write_bytes(content)
    return copy


def _pellucid() -> Path:
    return Path(sys.executable).with_name("pellucid")
