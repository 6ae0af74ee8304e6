"""The demonstration from beginning to end, and how it goes on another day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from pellucid.demo.chain import Chain, chain_table, pack_and_verify, play_chain, verified
from pellucid.demo.counterexamples import Counterexamples
from pellucid.demo.nodes import QUORUM, DemoNode, find_nodes, join_nodes, make_nodes, start_nodes
from pellucid.demo.own_source import own_product
from pellucid.demo.product import DEFAULT, NoIndexError, Product, ProductRelease, fetch_product
from pellucid.demo.stage import Stage, evidence_of
from pellucid.demo.steps import StepFailedError, Steps, steps_table
from pellucid.errors import InputError
from pellucid.terminal import say


class Play:
    """One performance in `home`: of a new demonstration, or of one that is there."""

    def __init__(self, home: Path, product: Product, nodes: Sequence[DemoNode], *, is_new: bool) -> None:
        self.home = home
        self.product = product
        self.nodes = nodes
        self.steps = Steps()
        self.is_complete = not is_new
        self._is_new = is_new
        self._chain: Chain | None = None
        self._stage = Stage(home, nodes, self.steps)

    @classmethod
    def new(cls, home: Path, pypi: Sequence[str] | None) -> Play:
        """Get the product and make the nodes; without an index, and unless `pypi` asks for one, the own source."""
        product = _product(home, pypi)
        say(f"{product.name} {product.old.version} and {product.new.version}: {product.origin}")
        say("making the keys and homes of four nodes")
        return cls(home, product, make_nodes(home), is_new=True)

    @classmethod
    def again(cls, home: Path, state: Mapping[str, Any]) -> Play:
        """Go on with a finished demonstration."""
        return cls(home, _read_product(home, state["product"]), find_nodes(home), is_new=False)

    def perform(self) -> None:
        """Do every step; what fails is among the steps, and what rests on it is left out."""
        try:
            if self._is_new:
                self._perform_new()
            else:
                self._start("four nodes start again")
                for artifact in self._artifacts():
                    self._verify_again(artifact)
        except StepFailedError as error:
            say(f"what follows rests on it and is left out: {error}")

    def state(self) -> Mapping[str, Any]:
        """Return what is needed to go on another day."""
        return {"product": _product_json(self.product)}

    def as_json(self) -> Mapping[str, Any]:
        """Return the outer contract's JSON."""
        releases = (self.product.old, self.product.new)
        return {
            "ok": self.steps.ok,
            "steps": [step.as_json() for step in self.steps.done],
            "product": {"name": self.product.name, "old": releases[0].version, "new": releases[1].version},
            "nodes": [node.as_json() for node in self.nodes],
            "releases": [
                {
                    "version": release.version,
                    "artifacts": [str(path) for path in release.artifacts],
                    "packs": [str(evidence_of(path)) for path in release.artifacts],
                }
                for release in releases
            ],
            "policy": str(self._stage.policy),
        }

    def words(self) -> str:
        """Return the tables for people."""
        parts = [f"{self.product.name} {self.product.old.version} and {self.product.new.version}", self.product.origin]
        if self._chain is not None and self.is_complete:
            parts += ["", chain_table(self._stage, self._chain)]
        wrong = sum(not step.ok for step in self.steps.done)
        last = "every step gave the expected answer" if self.steps.ok else f"{wrong} steps did NOT give it"
        lines = [*parts, "", steps_table(self.steps.done), "", last]
        if self.steps.ok:
            artifact = self.product.new.artifacts[-1]
            check = f"pellucid verify {artifact} --pack {evidence_of(artifact)} --policy {self._stage.policy}"
            lines.append(f"check it yourself, offline: {check}")
        return "\n".join(lines)

    def _perform_new(self) -> None:
        def join() -> tuple[bool, str]:
            accepted = join_nodes(self.nodes, self.home / "cards")
            return accepted == len(self.nodes) * (len(self.nodes) - 1), f"{accepted} cards accepted by fingerprint"

        self.steps.must("four nodes exchange cards and compare fingerprints", "12 cards accepted", join)
        self._start("a vendor and three centers start")
        self._chain = play_chain(self._stage, self.product)
        Counterexamples(self._stage, self.product.new.artifacts[-1]).play()
        for node in self.nodes:
            self.steps.try_(f"fsck of {node.place.name}'s home", "nothing damaged", partial(_checked, node))
        self.is_complete = self.steps.ok

    def _start(self, name: str) -> None:
        def start() -> tuple[bool, str]:
            start_nodes(self.nodes)
            return True, ", ".join(node.url for node in self.nodes)

        self.steps.must(name, f"4 processes, quorum {QUORUM}", start)

    def _artifacts(self) -> Sequence[Path]:
        return [path for release in (self.product.old, self.product.new) for path in release.artifacts]

    def _verify_again(self, artifact: Path) -> None:
        """Verify with the pack that is there; when its head has grown old, make it anew first."""
        ok, got = verified(self._stage, artifact)
        if ok:
            self.steps.try_(f"verify {artifact.name} offline", "meets-policy", lambda: (ok, got))
        else:
            say(f"the pack of {artifact.name} is made anew: {got}")
            pack_and_verify(self._stage, artifact)


def _product(home: Path, pypi: Sequence[str] | None) -> Product:
    name, old, new = pypi or DEFAULT
    try:
        return fetch_product(name, old, new, home)
    except NoIndexError as error:
        if pypi is not None:
            raise
        say(f"{error}; the product is this program's own source instead")
        return own_product(home)


def _checked(node: DemoNode) -> tuple[bool, str]:
    found = node.operator.run("fsck", node.home)
    files = sum(log["files_checked"] for log in found.json["logs"])
    problems = [f"{item['path']}: {item['what']}" for item in found.json["problems"]]
    return found.exit_code == 0, "; ".join(problems) or f"{len(found.json['logs'])} logs, {files} files, all fit"


def _product_json(product: Product) -> Mapping[str, Any]:
    found = asdict(product)
    for release in (found["old"], found["new"]):
        release["source"] = release["source"].name
        release["artifacts"] = [path.name for path in release["artifacts"]]
    return found


def _read_product(home: Path, value: Mapping[str, Any]) -> Product:
    try:
        old, new = (_read_release(home, value[name]) for name in ("old", "new"))
        return Product(value["name"], old, new, value["origin"])
    except (KeyError, TypeError) as error:
        raise InputError("its demo.json is damaged", where=str(home), remedy="name another --home") from error


def _read_release(home: Path, value: Mapping[str, Any]) -> ProductRelease:
    return ProductRelease(
        version=value["version"],
        source=home / value["source"],
        root=value["root"],
        artifacts=tuple(home / name for name in value["artifacts"]),
        purls=tuple(value["purls"]),
    )
