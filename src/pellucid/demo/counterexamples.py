"""Nine things that must fail, each for its own reason; what needs a product gets a scratch one, named an example."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.demo.forgery import changed_byte, forged_pack, without_statement
from pellucid.demo.stage import Checked, Person, Stage, evidence_of
from pellucid.errors import InputError, PellucidError
from pellucid.statement.canonical import canonical_json
from pellucid.statement.digest import sha256_file
from pellucid.statement.moment import format_time

_NOTICE = "This is an example made by the demonstration of Pellucid ({name}). It is no product of anybody.\n"


@dataclass(frozen=True, slots=True)
class Scratch:
    """An example product with one file that is published and reviewed."""

    name: str
    folder: Path
    file: Path
    published: Mapping[str, Any]

    @property
    def pack(self) -> Path:
        """Where its pack lies."""
        return evidence_of(self.file)


class Counterexamples:
    """Plays them on a stage; `artifact` is the main product's, which they leave alone."""

    def __init__(self, stage: Stage, artifact: Path) -> None:
        self._stage = stage
        self._artifact = artifact
        self._folder = stage.home / "examples"
        self._folder.mkdir()

    def play(self) -> None:
        """Play all of them."""
        say = self._stage.steps.try_
        say("a changed file", "fails: evidence (another file)", self._changed_file)
        say("a damaged pack", "fails: evidence (not in the log)", self._damaged_pack)
        say("a pack cut short", "unusable input", self._cut_pack)
        say("a forged pack, its digests made to fit", "fails: evidence (a signature)", self._forged_pack)
        say("a quorum above the nodes", "fails: cosigned (4 required)", self._quorum)
        say("an unlogged file", "fails: logged (in no log)", self._unlogged)
        self._with_control("a doubled release", "fails: release (2 live releases)", "olga", "europe", self._doubled)
        self._with_control("a withheld bad review", "fails: completeness (left out)", "paul", "europe", self._withheld)
        self._with_control("a revoked reviewer", "fails: review (key revoked)", "quinn", "americas", self._revoked)

    def _with_control(
        self,
        name: str,
        expected: str,
        reviewer: str,
        at: str,
        attack: Callable[[Scratch, Person], tuple[bool, str]],
    ) -> None:
        """Show that the scratch product meets the policy first, so that what fails afterwards fails for the attack."""
        made: list[tuple[Scratch, Person]] = []

        def control() -> tuple[bool, str]:
            person = self._stage.person(f"{reviewer.title()} Example", at)
            scratch = self._scratch(f"example-{name.split()[1]}", person)
            made.append((scratch, person))
            checked = self._packed(scratch)
            return checked.meets, checked.words

        self._stage.steps.try_(f"before it: {name}", "meets-policy", control)
        if made:
            self._stage.steps.try_(name, expected, lambda: attack(*made[0]))

    def _changed_file(self) -> tuple[bool, str]:
        changed = self._folder / f"changed-{self._artifact.name}"
        changed.write_bytes(changed_byte(self._artifact.read_bytes()))
        checked = self._stage.verify(changed, evidence_of(self._artifact))
        return _fails_only(checked, "evidence", "the pack is about")

    def _damaged_pack(self) -> tuple[bool, str]:
        pack = self._main_pack()
        statement = next(log["statements"] for log in pack["logs"] if log["statements"])[0]
        payload = statement["envelope"]["payload"]
        statement["envelope"]["payload"] = payload[:40] + ("A" if payload[40] != "A" else "B") + payload[41:]
        checked = self._stage.verify(self._artifact, self._written("damaged", canonical_json(pack)))
        return _fails_only(checked, "evidence", "not in the log")

    def _cut_pack(self) -> tuple[bool, str]:
        data = evidence_of(self._artifact).read_bytes()
        path = self._written("cut", data[: len(data) // 2])
        try:
            checked = self._stage.verify(self._artifact, path)
        except PellucidError as error:
            return error.exit_code == InputError.exit_code, f"exit {error.exit_code}: {error}"
        return False, checked.words

    def _forged_pack(self) -> tuple[bool, str]:
        changed = self._folder / f"changed-{self._artifact.name}"
        forged = forged_pack(evidence_of(self._artifact), changed.read_bytes(), self._stage.policy)
        checked = self._stage.verify(changed, self._written("forged", forged))
        return _fails_only(checked, "evidence", "signature")

    def _quorum(self) -> tuple[bool, str]:
        text = self._stage.policy.read_text()
        policy = self._folder / "quorum-above-the-nodes.policy.toml"
        policy.write_text(text.replace("witnesses = 2", "witnesses = 4", 1))
        checked = self._stage.verify(self._artifact, evidence_of(self._artifact), policy)
        return _fails_only(checked, "cosigned", "4 required")

    def _unlogged(self) -> tuple[bool, str]:
        file = self._folder / "example-unlogged.txt"
        file.write_text(_NOTICE.format(name="unlogged"))
        self._stage.pack(file, evidence_of(file))
        checked = self._stage.verify(file, evidence_of(file))
        return _fails(checked, "logged", "no log of the policy") and set(checked.unmet) == {
            "logged",
            "release",
            "review",
        }, checked.words

    def _doubled(self, scratch: Scratch, _person: Person) -> tuple[bool, str]:
        vendor = self._stage.node("vendor").operator
        other = scratch.folder / "second.txt"
        other.write_text(_NOTICE.format(name="a special copy"))
        second = scratch.folder / "second.release.toml"
        second.write_text(_manifest(scratch.name, scratch.file.name, other.name))
        if not _is_refused(lambda: vendor.run("publish", second)):
            return False, "`publish` did not refuse it"
        self._publish_behind_its_back(scratch, other)
        return _fails_only(self._packed(scratch), "release", "2 live releases")

    def _publish_behind_its_back(self, scratch: Scratch, other: Path) -> None:
        """Sign and submit the second release as a dishonest vendor would, past the check of `publish`."""
        vendor = self._stage.node("vendor").operator
        shown = vendor.run("statement", "show", scratch.published["statement"]).json["statement"]
        shown["subject"][0]["digest"] = {"sha256": sha256_file(other)}
        statement = scratch.folder / "second.json"
        statement.write_bytes(canonical_json(shown))
        vendor.run("statement", "sign", statement, "-o", scratch.folder / "second.dsse.json")
        vendor.run("statement", "submit", scratch.folder / "second.dsse.json")

    def _withheld(self, scratch: Scratch, _person: Person) -> tuple[bool, str]:
        critic = self._stage.person("Ruth Example", "americas")
        bad = self._stage.review(critic, scratch.folder / "source", result="fail")
        honest = self._packed(scratch)
        if not _fails(honest, "review", "fail"):
            return False, f"with the bad review shown: {honest.words}"
        scratch.pack.write_bytes(without_statement(scratch.pack.read_bytes(), bad["statement"]))
        return _fails_only(self._stage.verify(scratch.file, scratch.pack), "completeness", "leaves out")

    def _revoked(self, scratch: Scratch, person: Person) -> tuple[bool, str]:
        since = format_time(int(time.time()) - 3600)
        person.at.operator.run("party", "revoke", person.key, "--compromised-since", since)
        return _fails_only(self._packed(scratch), "review", "revoked")

    def _scratch(self, name: str, person: Person) -> Scratch:
        folder = self._folder / name
        (folder / "source").mkdir(parents=True)
        file = folder / f"{name}-1.0.txt"
        file.write_text(_NOTICE.format(name=name))
        (folder / "source" / "README").write_text(_NOTICE.format(name=name))
        manifest = folder / "release.toml"
        manifest.write_text(_manifest(name, file.name, file.name))
        published = self._stage.node("vendor").operator.run("publish", manifest).json
        self._stage.review(person, folder / "source")
        return Scratch(name, folder, file, published)

    def _packed(self, scratch: Scratch) -> Checked:
        self._stage.pack(scratch.file, scratch.pack)
        return self._stage.verify(scratch.file, scratch.pack)

    def _main_pack(self) -> Any:
        return json.loads(evidence_of(self._artifact).read_bytes())

    def _written(self, name: str, data: bytes) -> Path:
        path = self._folder / f"{name}.evidence.json"
        path.write_bytes(data)
        return path


def _fails(checked: Checked, requirement: str, word: str) -> bool:
    return not checked.meets and word in checked.unmet.get(requirement, "")


def _fails_only(checked: Checked, requirement: str, word: str) -> tuple[bool, str]:
    """Tell whether exactly this requirement is unmet, for this reason."""
    return _fails(checked, requirement, word) and list(checked.unmet) == [requirement], checked.words


def _is_refused(do: Callable[[], object]) -> bool:
    try:
        do()
    except InputError:
        return True
    return False


def _manifest(product: str, name: str, path: str) -> str:
    head = f'[release]\nproduct = "{product}"\nversion = "1.0"\nkind = "software"\n\n[source]\ntree = "source"\n'
    return f'{head}\n[[artifact]]\nname = "{name}"\npath = "{path}"\n'
