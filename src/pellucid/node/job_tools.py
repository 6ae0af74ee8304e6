"""What a node offers to the jobs that run in its process, or in a command that holds its home."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from pellucid.capabilities import PREDICATES, REQUIREMENTS
from pellucid.errors import EvidenceError, InputError
from pellucid.jobs.chores import Packing, Reindexing
from pellucid.jobs.work import Tools
from pellucid.node.runtime import Node
from pellucid.record.home import Home
from pellucid.record.index import Index
from pellucid.record.logs import Logs
from pellucid.record.packing import build_pack
from pellucid.record.predicate import NODE_KINDS
from pellucid.storage.home_lock import HomeLock
from pellucid.trust.evidence import Clock
from pellucid.trust.keyring import read_keyring
from pellucid.trust.policy import parse_policy
from pellucid.trust.verdict import Rules, check_requirements, decide

POLICY = "policy.toml"
_POLICY_LIMIT = 1 << 20


def tools_of(home: Home, node: Node | None = None) -> Tools:
    """Return the tools of a running node; without one, of whoever can take the home's lock."""
    rebuild = _by_node(node) if node is not None else _by_lock(home)
    return Tools(home.path, Reindexing(rebuild), Packing(_packing(home)))


def _by_node(node: Node) -> Callable[[], Mapping[str, str | None]]:
    def rebuild() -> Mapping[str, str | None]:
        node.reindex()
        return _by_origin(node.logs, node.live.index_problems)

    return rebuild


def _by_lock(home: Home) -> Callable[[], Mapping[str, str | None]]:
    def rebuild() -> Mapping[str, str | None]:
        logs = Logs(home)
        with HomeLock(home.path / "lock"):
            index = Index(home.path / "index.db", PREDICATES)
            try:
                problems = index.rebuild(logs.now())
            finally:
                index.close()
        return _by_origin(logs, problems)

    return rebuild


def _by_origin(logs: Logs, problems: Mapping[str, str]) -> dict[str, str | None]:
    return {log.origin: problems.get(log.id) for log in logs.now().logs.values()}


def _packing(home: Home) -> Callable[[str, Callable[[str], None]], bytes]:
    def pack(sha256: str, tell: Callable[[str], None]) -> bytes:
        rules = _rules(home)
        found = build_pack(sha256, rules.policy, rules.predicates, tell=tell)
        data = found.to_bytes()
        now = int(time.time())
        verdict = decide(data, sha256, rules, Clock(now, now))
        broken = next((result for result in verdict.results if result.name == "evidence" and not result.met), None)
        if broken is not None:
            raise EvidenceError(f"what the nodes show does not hold: {broken.why}", remedy="nothing was kept")
        return data

    return pack


def _rules(home: Home) -> Rules:
    """Read the policy in the home: whose logs and mirrors are asked."""
    path = home.path / POLICY
    try:
        with path.open("rb") as file:
            data = file.read(_POLICY_LIMIT + 1)
    except OSError as error:
        remedy = f"write one: pellucid policy init --node URL … -o {path}"
        raise InputError(f"the home's policy cannot be read: {error.strerror}", where=POLICY, remedy=remedy) from error
    policy = parse_policy(data, where=POLICY)
    check_requirements(policy, REQUIREMENTS, data.decode(), where=POLICY)
    return Rules(policy, read_keyring(policy), PREDICATES, NODE_KINDS, REQUIREMENTS)
