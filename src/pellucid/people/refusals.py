"""How much of one account is recorded: enough to see an attack, too little to fill a log that never shrinks."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

MOST_RECORDED = 100
MOST_READ = 3600
WITHIN = 3600.0


class RefusalBudget:
    """Counts per account up to `most` an hour (refusals: `MOST_RECORDED`). Safe between threads.

    `clock` gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, most: int | None = None) -> None:
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self._spent: dict[str, deque[float]] = {}

    def spend(self, account: str) -> bool:
        """Take one; False if the account had its `most` within the last hour."""
        now = self._clock()
        with self._lock:
            spent = self._spent.setdefault(account, deque())
            while spent and spent[0] <= now - WITHIN:
                spent.popleft()
            if len(spent) >= (MOST_RECORDED if self._most is None else self._most):
                return False
            spent.append(now)
            return True
