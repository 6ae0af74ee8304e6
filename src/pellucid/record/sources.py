"""Where the logs of a policy are read from: their own nodes, or mirrors of them, whoever answers and shows enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pellucid.errors import EvidenceError, InputError, UnavailableError
from pellucid.record.client import NodeClient
from pellucid.tlog.checkpoint import SignedCheckpoint
from pellucid.tlog.cosignature import Cosignature, cosignatures
from pellucid.tlog.reader import LogReader
from pellucid.trust.keyring import Held, Keyring
from pellucid.trust.policy import KeyUse, Policy, PolicyNode

Connect = Callable[[str], NodeClient]
Tell = Callable[[str], None]
_COVERINGS_TRIED = 16


class NoSourceError(UnavailableError):
    """No node shows a log."""


@dataclass(frozen=True, slots=True)
class LogAtHand:
    """A log of the policy with the head to speak of, and the reader of whoever shows it."""

    held: Held
    head: SignedCheckpoint
    reader: LogReader
    shown_by: PolicyNode
    is_enough: bool

    @property
    def origin(self) -> str:
        """The log's origin."""
        return self.held.verifier.name

    @property
    def size(self) -> int:
        """The size of the head."""
        return self.head.checkpoint.size


class Nodes:
    """The nodes of a policy that have an address, each with one connection."""

    def __init__(self, policy: Policy, keyring: Keyring, connect: Connect = NodeClient) -> None:
        """InputError if the policy gives no address at all; nobody is asked yet."""
        self.keyring = keyring
        self._reachable = [node for node in policy.node if node.url is not None]
        if not self._reachable:
            raise InputError(
                "the policy gives no node's address",
                remedy='write `url = "https://…"` in its [[node]] tables; only `verify` works without',
            )
        self._clients = {node.name: connect(node.url or "") for node in self._reachable}

    def client(self, node: PolicyNode) -> NodeClient:
        """Return the connection to a node that has an address."""
        return self._clients[node.name]

    def all(self) -> Sequence[PolicyNode]:
        """Return every node with an address, in the policy's order."""
        return self._reachable

    def showing(self, held: Held) -> Iterator[PolicyNode]:
        """Yield who may show a log: its own node, then all that mirror."""
        yield from (node for node in self._reachable if node.name == held.node.name)
        yield from (node for node in self._reachable if node.name != held.node.name and any(node.keys(KeyUse.MIRROR)))

    def answering(self, held: Held) -> Sequence[PolicyNode]:
        """Return the mirrors whose word on a log's completeness counts: look-up keys of other operators."""
        own = held.node.operator
        return [node for node in self._reachable if node.operator != own and any(node.keys(KeyUse.LOOKUP))]

    def reader(self, held: Held, node: PolicyNode) -> LogReader:
        """Return a reader of the log as `node` shows it."""
        mirrored = node.name != held.node.name
        return LogReader(self.client(node).tiles(held.verifier.name, mirrored=mirrored), held.verifier)

    def close(self) -> None:
        """Drop all connections."""
        for client in self._clients.values():
            client.close()


def cosigned(signed: SignedCheckpoint, held: Held, keyring: Keyring) -> Sequence[Cosignature]:
    """Return the cosignatures that count for a log's checkpoint; BadSignatureError if a known one fails."""
    return keyring.counted(cosignatures(signed.note, keyring.quorum(held.verifier.name).verifiers))


def is_met(signed: SignedCheckpoint, held: Held, keyring: Keyring) -> bool:
    """Tell whether enough operators cosigned a checkpoint."""
    return keyring.quorum(held.verifier.name).met(cosigned(signed, held, keyring))


def find_log(nodes: Nodes, held: Held, tell: Tell) -> LogAtHand:
    """Return a log at the freshest head that meets the policy's quorum, from its own node if that shows one.

    If none meets it, the freshest; for a frozen log its end. NoSourceError if nobody shows the log.
    """
    problems: list[str] = []
    found: list[LogAtHand] = []
    for node in nodes.showing(held):
        try:
            shown = _shown_by(nodes, held, node)
        except (EvidenceError, UnavailableError) as error:
            problems.append(f"{node.name}: {error}")
            tell(f"{held.verifier.name} is not shown by {node.name}: {error}")
            continue
        found.append(shown)
        if shown.is_enough and node.name == held.node.name:
            break
    if not found:
        raise NoSourceError(
            "; ".join(problems) or "no node with an address keeps or mirrors it",
            where=held.verifier.name,
            remedy="try again when one of these nodes answers",
        )
    return max(found, key=lambda log: (log.is_enough, log.size, _seen(log, nodes.keyring)))


def _shown_by(nodes: Nodes, held: Held, node: PolicyNode) -> LogAtHand:
    reader = nodes.reader(held, node)
    head = reader.checkpoint()
    frozen = held.entry.frozen
    if frozen is not None:
        end = head if head.checkpoint.size == frozen.size else reader.kept_checkpoint(frozen.size)
        if end is None or end.checkpoint.root.hex() != frozen.root:
            raise EvidenceError("the end that the policy gives is not kept here", where=held.verifier.name)
        head = end
    return LogAtHand(held, head, reader, node, is_met(head, held, nodes.keyring))


def _seen(log: LogAtHand, keyring: Keyring) -> int:
    return keyring.quorum(log.origin).seen_time(cosigned(log.head, log.held, keyring)) or 0


def covering(log: LogAtHand, index: int, keyring: Keyring) -> SignedCheckpoint:
    """Return the smallest kept checkpoint over an entry that meets the quorum; after 16 that do not, the head."""
    for size in log.reader.source.kept(index, _COVERINGS_TRIED):
        if size > log.size:
            break
        kept = log.reader.kept_checkpoint(size)
        if kept is not None and is_met(kept, log.held, keyring):
            return kept
    return log.head
