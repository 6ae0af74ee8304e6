"""People on a node."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.world import made_home, world

__all__ = ["made_home", "world"]
