"""One page, one reading: a node's views that answer a question once and then from memory, for the pages of a moment."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, cast

from pellucid.record.facts import Record, Views


class Remembered:
    """The views `views` for the pages of a moment, whichever thread makes them; none of them contradicts itself.

    Two threads may ask the same thing at once; then both are answered, and one answer is remembered.
    """

    def __init__(self, views: Views) -> None:
        self._views = views
        self._answers: dict[Hashable, Any] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._views, name)

        def ask(*args: Hashable, **named: Hashable) -> Any:
            question = (name, args, frozenset(named.items()))
            if question not in self._answers:
                self._answers[question] = method(*args, **named)
            return self._answers[question]

        setattr(self, name, ask)
        return ask

    def about_each(self, refs: Sequence[str], *, kind: str | None = None) -> Mapping[str, tuple[Record, ...]]:
        """See `Views.about_each`; whoever asks `about` one of them later has the answer at hand."""
        found = self._views.about_each(tuple(refs), kind=kind)
        self._answers.update({("about", (ref,), frozenset({("kind", kind)})): found[ref] for ref in found})
        return found


def remembering(views: Views) -> Views:
    """Return `views` with a memory of their answers."""
    return cast("Views", Remembered(views))
