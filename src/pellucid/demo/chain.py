"""The chain of evidence on a real product: two releases, two reviews, cosignatures, packs, offline verdicts."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pellucid.commands.policy import draft_policy
from pellucid.commands.verify import read_rules
from pellucid.demo.nodes import QUORUM
from pellucid.demo.product import Product, ProductRelease
from pellucid.demo.stage import CRITERION, Person, Stage, evidence_of
from pellucid.demo.steps import table
from pellucid.record.card import NodeCard, read_card
from pellucid.statement.moment import format_time
from pellucid.storage.files import FileObjects
from pellucid.tlog.checkpoint import Checkpoint
from pellucid.trust.policy import QuorumRule

REVIEWER = "Rita Example"
_VERIFY_WITHIN = 60


@dataclass
class Chain:
    """What was said in the demonstration, as the commands reported it."""

    product: Product
    releases: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    reviews: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    delta: Mapping[str, Any] = field(default_factory=dict)


def play_chain(stage: Stage, product: Product) -> Chain:
    """Publish, review, publish the update, measure, review the difference, pack and verify every artifact."""
    chain = Chain(product)
    old, new = product.old, product.new
    _publish(stage, chain, old, None)
    rita = _accredit(stage)
    full = ["--root", old.root] if old.root else []
    _review(stage, chain, rita, old, full, "full review")
    _publish(stage, chain, new, old.version)
    _measure(stage, chain, rita)
    since = ["--base", str(old.source), *(["--base-root", old.root] if old.root else [])]
    _review(stage, chain, rita, new, [*(["--root", new.root] if new.root else []), *since], "delta review")
    stage.steps.must("a verifier writes down whose keys and what they ask for", "a policy", lambda: write_policy(stage))
    for release in (old, new):
        for artifact in release.artifacts:
            pack_and_verify(stage, artifact)
    return chain


def pack_and_verify(stage: Stage, artifact: Path) -> None:
    """Make the evidence pack of an artifact, and verify it."""
    stage.steps.try_(f"pack {artifact.name}", "packed, meets-policy", lambda: _packed(stage, artifact))
    stage.steps.try_(f"verify {artifact.name} offline", "meets-policy", lambda: verified(stage, artifact))


def write_policy(stage: Stage) -> tuple[bool, str]:
    """Write the acceptance policy from the cards of all nodes, and read it back."""
    cards = [_card(stage, node.place.name) for node in stage.nodes]
    now = int(time.time())
    text = draft_policy(
        [(c, f"its card, handed over on {format_time(now)}, fingerprint compared: {c.fingerprint}") for c in cards],
        quorum=QuorumRule(witnesses=QUORUM, regions=2, mirrors=2, max_age="7d"),
        accreditors=[card.name for card in cards if card.card.role == "center"],
        require={
            "release": {"source": True},
            "review": {"count": 1, "criteria": [CRITERION], "not_paid_by": ["vendor"], "max_debt_lines": 0},
        },
    )
    FileObjects(stage.home).replace(stage.policy.name, text.encode())
    read_rules(stage.policy)
    return True, f"{stage.policy.name}: {QUORUM} witnesses from 2 regions, 2 mirrors, 1 review, nothing unread"


def verified(stage: Stage, artifact: Path) -> tuple[bool, str]:
    """Verify an artifact as a user would: the program as a process of its own, with file, pack and policy only."""
    command = [sys.executable, "-m", "pellucid.cli", "verify", str(artifact), "--pack", str(evidence_of(artifact))]
    command += ["--policy", str(stage.policy), "--json"]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_VERIFY_WITHIN)
    try:
        verdict = json.loads(found.stdout)
        unmet = [f"{r['name']}: {r['why']}" for r in verdict["requirements"] if not r["met"]]
        return found.returncode == 0, "; ".join([verdict["verdict"], *unmet])
    except (ValueError, KeyError):
        return False, f"exit {found.returncode}: {found.stderr[-500:]}"


def chain_table(stage: Stage, chain: Chain) -> str:
    """Return the chain link by link: what is said, by whom, in which log, and who saw that log."""
    seen = _cosigners(stage)
    rows: list[Sequence[str]] = []
    for release in (chain.product.old, chain.product.new):
        published = chain.releases[release.version]
        rows.append(_row(f"{chain.product.name} {release.version} released", "the vendor", published, seen))
        rows += [(f"  {file.name}", "", "", "") for file in release.artifacts]
        rows.append((f"  from source tree {published['source']['sha256'][:16]}…", "", "", ""))
        if release is chain.product.new:
            lines = chain.delta["lines_added"] + chain.delta["lines_removed"]
            rows.append(_row(f"  {lines} lines changed, measured", REVIEWER, chain.delta, seen))
        extent = "all of it" if release is chain.product.old else "every changed line"
        rows.append(_row(f"  {extent} reviewed, result pass", REVIEWER, chain.reviews[release.version], seen))
    return table(("what is said", "by", "logged", "that log was cosigned by"), rows, (48, 12, 26))


def _row(what: str, who: str, said: Mapping[str, Any], seen: Mapping[str, str]) -> Sequence[str]:
    return (what, who, f"{said['log']} #{said['index']}", seen.get(said["log"], ""))


def _cosigners(stage: Stage) -> Mapping[str, str]:
    """Return, by log, who cosigned the head that the packs show."""
    pack = json.loads(evidence_of(_any_artifact(stage)).read_bytes())
    found = {}
    for log in pack["logs"]:
        text, _, lines = log["head"].rpartition("\n\n")
        origin = Checkpoint.parse(f"{text}\n").origin
        names = [line.split(" ")[1] for line in lines.splitlines()]
        found[origin] = ", ".join(sorted(name.split(".")[1] for name in names if name.endswith("/witness")))
    return found


def _any_artifact(stage: Stage) -> Path:
    return next(path.with_name(path.name.removesuffix(".evidence.json")) for path in stage.home.glob("*.evidence.json"))


def _publish(stage: Stage, chain: Chain, release: ProductRelease, previous: str | None) -> None:
    manifest = stage.home / f"release-{release.version}.toml"
    manifest.write_text(_manifest(chain.product.name, release, previous))

    def publish() -> tuple[bool, str]:
        found = chain.releases[release.version] = stage.node("vendor").operator.run("publish", manifest).json
        return _is_cosigned(found)

    stage.steps.must(
        f"the vendor publishes {chain.product.name} {release.version}", "logged, 2 or more cosign", publish
    )


def _accredit(stage: Stage) -> Person:
    people: list[Person] = []

    def accredit() -> tuple[bool, str]:
        people.append(stage.person(REVIEWER, "asia"))
        return True, f"{REVIEWER}'s key is accredited as a reviewer's"

    stage.steps.must("the center in Asia accredits a reviewer", "accredited", accredit)
    return people[0]


def _review(
    stage: Stage, chain: Chain, person: Person, release: ProductRelease, words: Sequence[str], what: str
) -> None:
    def review() -> tuple[bool, str]:
        found = chain.reviews[release.version] = stage.review(person, release.source, *words)
        return _is_cosigned(found)

    stage.steps.must(f"{person.name} signs a {what} of {release.version}", "logged, 2 or more cosign", review)


def _measure(stage: Stage, chain: Chain, person: Person) -> None:
    old, new = chain.product.old, chain.product.new

    def measure() -> tuple[bool, str]:
        roots = [*(["--base-root", old.root] if old.root else []), *(["--root", new.root] if new.root else [])]
        chain.delta = person.at.operator.run(
            "source", "delta", old.source, new.source, *roots, "--log", *person.key_words
        ).json
        ok, got = _is_cosigned(chain.delta)
        lines = chain.delta["lines_added"] + chain.delta["lines_removed"]
        return ok, f"{lines} changed lines in {chain.delta['files_changed']} files; {got}"

    stage.steps.must(f"{person.name} measures what {new.version} changes", "logged, 2 or more cosign", measure)


def _packed(stage: Stage, artifact: Path) -> tuple[bool, str]:
    found = stage.pack(artifact, evidence_of(artifact))
    answered = min(len(log["answered_by"]) for log in found["verdict"]["completeness"])
    got = (
        f"{found['statements']} statements of {len(found['logs'])} logs, each with {answered} or more mirrors' answers"
    )
    return found["verdict"]["verdict"] == "meets-policy", got


def _is_cosigned(found: Mapping[str, Any]) -> tuple[bool, str]:
    names = [name.split(".")[1] for name in found["cosigned_by"]]
    entry = f"entry {found['index']} of {found['log']}"
    if not found["published"]:
        return False, f"{entry}, not published yet: waiting for {', '.join(found['quorum']['missing'])}"
    return len(names) >= QUORUM, f"{entry}, cosigned by {', '.join(names)}"


def _manifest(product: str, release: ProductRelease, previous: str | None) -> str:
    """Return release.toml; JSON's spelling of a text is TOML's too."""
    table_ = {"product": product, "version": release.version, "kind": "software", "previous": previous}
    source = {"archive": release.source.name, "root": release.root}
    lines = ["[release]", *_fields(table_), "", "[source]", *_fields(source)]
    for path, purl in zip(release.artifacts, release.purls, strict=True):
        lines += ["", "[[artifact]]", *_fields({"name": path.name, "path": path.name, "purl": purl})]
    return "\n".join(lines) + "\n"


def _fields(values: Mapping[str, str | None]) -> list[str]:
    return [f"{name} = {json.dumps(value)}" for name, value in values.items() if value is not None]


def _card(stage: Stage, name: str) -> NodeCard:
    path = stage.home / "cards" / f"{name}.card.json"
    return read_card(path.read_bytes(), where=str(path))
