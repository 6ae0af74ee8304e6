"""One installation put together from its home: log, witness, mirrors, index, and the threads that keep them going."""

from __future__ import annotations

from pellucid.node.doors import DoorReply
from pellucid.node.runtime import Node
from pellucid.node.submission import Submission, submit
from pellucid.record.home import Home, create_home
from pellucid.record.settings import Settings

__all__ = ["DoorReply", "Home", "Node", "Settings", "Submission", "create_home", "submit"]
