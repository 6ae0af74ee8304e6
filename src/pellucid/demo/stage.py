"""What every scene of the demonstration needs: the nodes, the people, and the commands they use."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.demo.nodes import DemoNode
from pellucid.demo.operator import Operator
from pellucid.demo.steps import Steps

CRITERION = "example-criterion"
EXPIRES = "2031-01-01"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a key of their own, who works at a center."""

    name: str
    at: DemoNode
    key: Path
    passphrase: Path

    @property
    def key_words(self) -> Sequence[str]:
        """The options that make a command speak with this key."""
        return ["--key", str(self.key), "--passphrase-file", str(self.passphrase)]


@dataclass(frozen=True, slots=True)
class Checked:
    """What `verify` answered."""

    meets: bool
    unmet: Mapping[str, str]
    json: Mapping[str, Any]

    @property
    def words(self) -> str:
        """The answer in a line."""
        if self.meets:
            return "meets-policy"
        return "fails-policy: " + "; ".join(f"{name}: {why}" for name, why in self.unmet.items())


@dataclass(frozen=True)
class Stage:
    """The home of the demonstration with everybody in it."""

    home: Path
    nodes: Sequence[DemoNode]
    steps: Steps

    @property
    def policy(self) -> Path:
        """The verifier's acceptance policy."""
        return self.home / "policy.toml"

    @property
    def verifier(self) -> Operator:
        """Somebody outside, with no home of a node."""
        return Operator(self.home / "nowhere", self.home / "logs" / "verifier.commands.log")

    def node(self, name: str) -> DemoNode:
        """Return a node by its place."""
        return next(node for node in self.nodes if node.place.name == name)

    def person(self, name: str, at: str) -> Person:
        """Make a key for somebody and have the center `at` accredit it as a reviewer's."""
        center = self.node(at)
        folder = self.home / "people"
        folder.mkdir(exist_ok=True)
        stem = name.lower().replace(" ", "-")
        person = Person(name, center, folder / f"{stem}.key", folder / f"{stem}.passphrase")
        with os.fdopen(os.open(person.passphrase, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24) + "\n")
        center.operator.run("key", "new", person.key, "--name", name, "--passphrase-file", person.passphrase)
        said = ["--role", "reviewer", "--expires", EXPIRES, "--name", name, "--affiliation", "Example Lab"]
        center.operator.run("party", "accredit", person.key, *said)
        return person

    def review(self, person: Person, subject: Path | str, *words: str, result: str = "pass") -> Mapping[str, Any]:
        """Have somebody sign a review of a source and have their center log it."""
        said = ["--result", result, "--criterion", CRITERION, "--independence", "independent", "--paid-by", "center"]
        said += ["--minutes", "960", "--expires", EXPIRES, "--yes"]
        return person.at.operator.run("source", "review", subject, *words, *said, *person.key_words).json

    def pack(self, file: Path, output: Path, policy: Path | None = None) -> Mapping[str, Any]:
        """Make the evidence pack of a file."""
        return self.verifier.run("pack", file, "--policy", policy or self.policy, "-o", output).json

    def verify(self, file: Path, pack: Path, policy: Path | None = None) -> Checked:
        """Judge a file by a pack, offline."""
        json = self.verifier.run("verify", file, "--pack", pack, "--policy", policy or self.policy).json
        unmet = {item["name"]: item["why"] for item in json["requirements"] if not item["met"]}
        return Checked(json["verdict"] == "meets-policy", unmet, json)


def evidence_of(artifact: Path) -> Path:
    """Return where the pack of an artifact lies."""
    return artifact.with_name(f"{artifact.name}.evidence.json")
