"""Every witness state keeps the promises of the port."""

from __future__ import annotations

import threading
from hashlib import sha256
from pathlib import Path

import pytest

from pellucid.storage.witness_state import SqliteWitnessState, Witnessed, WitnessState

SEEN = Witnessed(5, b"\5" * 32, 1_700_000_000, b"note")


class WitnessStateContract:
    """What any adapter must do; subclasses give `state`, and `again`, which opens it anew."""

    def again(self) -> WitnessState:
        raise NotImplementedError

    def test_knows_nothing_at_first(self, state: WitnessState) -> None:
        assert state.known("log") is None
        assert state.known_by_hash(sha256(b"log").hexdigest()) is None

    def test_remembers_what_a_step_returned(self, state: WitnessState) -> None:
        assert state.advance("log", lambda held: SEEN if held is None else held) == SEEN
        again = self.again()
        assert again.known("log") == SEEN
        assert again.known_by_hash(sha256(b"log").hexdigest()) == SEEN
        assert again.known("other") is None

    def test_changes_nothing_when_a_step_raises(self, state: WitnessState) -> None:
        state.advance("log", lambda _: SEEN)

        def refuse(held: Witnessed | None) -> Witnessed:
            assert held == SEEN
            raise KeyError

        with pytest.raises(KeyError):
            state.advance("log", refuse)
        assert state.advance("log", lambda held: held or SEEN) == SEEN

    def test_no_step_runs_beside_another(self, state: WitnessState) -> None:
        """The rollback race: each step sees what the one before it stored, through whichever connection."""
        other = self.again()
        state.advance("log", lambda _: Witnessed(0, b"", 1, b""))

        def grow(held: Witnessed | None) -> Witnessed:
            return Witnessed((held.size if held else 0) + 1, b"", 1, b"")

        def work(mine: WitnessState) -> None:
            for _ in range(50):
                mine.advance("log", grow)

        threads = [threading.Thread(target=work, args=(mine,)) for mine in (state, other, self.again())]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        known = state.known("log")
        assert known is not None
        assert known.size == 150


class TestSqliteWitnessState(WitnessStateContract):
    @pytest.fixture(autouse=True)
    def _path(self, tmp_path: Path) -> None:
        self.path = tmp_path / "witness.db"

    @pytest.fixture
    def state(self) -> SqliteWitnessState:
        return SqliteWitnessState(self.path)

    def again(self) -> SqliteWitnessState:
        return SqliteWitnessState(self.path)
