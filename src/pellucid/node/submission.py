"""Having a statement logged by the node of a home, whether it runs or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pellucid.node.runtime import Node
from pellucid.record.client import NodeClient
from pellucid.record.home import Home
from pellucid.statement.dsse import Envelope


@dataclass(frozen=True, slots=True)
class Submission:
    """The signed receipt, and where it came from.

    `through` is the running node's address; None if the home was opened here. Then `wanting` says what its publication
    still lacks: the statement is durable and is published once enough others have cosigned.
    """

    receipt: Envelope
    through: str | None
    wanting: tuple[str, ...] = ()


def submit(home: Path | Home, data: bytes, passphrase: Callable[[], bytes]) -> Submission:
    """Submit an envelope's bytes through the running node, else under the home's lock, and publish at once.

    `passphrase` is called only if the node does not run. Raises UnavailableError if another process holds the home
    without answering, FatalError where the disk fails: the home recovers when it is opened next.
    """
    found = home if isinstance(home, Home) else Home.find(home)
    url = found.node_url()
    if url is not None:
        client = NodeClient(url)
        try:
            return Submission(client.submit(data), url)
        finally:
            client.close()
    with Node.open(found, passphrase(), on_fatal=_raised_anyway) as node:
        receipt = node.submit(data)
        return Submission(receipt, None, node.publish().wanting)


def _raised_anyway(_error: BaseException) -> None:
    """Leave it to the caller, who gets the same error and ends: no thread of a node is running here."""
