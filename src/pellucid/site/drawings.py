"""Small drawings made here as SVG, each with a title, a description, and its figures in words beside it."""

from __future__ import annotations

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from pellucid.release.portal.cards import Reading
from pellucid.release.portal.claims import State, counted, short
from pellucid.release.portal.formats import grouped
from pellucid.site.logpages import InclusionBox

ICONS = {
    State.GOOD: "M5.8 10.4l2.8 2.8 5.6-6",
    State.ATTENTION: "M10 5v6M10 14.2v.2",
    State.FAILED: "M6.8 6.8l6.4 6.4M13.2 6.8l-6.4 6.4",
    State.UNKNOWN: "M7.4 7.8a2.6 2.6 0 1 1 3.9 2.3c-.9.5-1.3.9-1.3 1.7M10 14.4v.2",
}
WIDTH, RISE, MIDDLE, ASIDE = 320, 36, 160, 52


def merkle_path(box: InclusionBox) -> SafeString:
    """Draw the path from an entry, at the foot, to the root, at the top."""
    height = RISE * len(box.steps) + 64
    foot = height - 32
    levels = [foot - RISE * (place + 1) for place in range(len(box.steps))]
    joins = format_html_join(
        "", "{}", ((_join(y, step.side, step.hash),) for y, step in zip(levels, box.steps, strict=True))
    )
    root = _node(MIDDLE, levels[-1] if levels else foot, "root")
    hashes, entries = counted(len(box.steps), "hash", "hashes"), counted(box.size, "entry", "entries")
    words = _("From entry {index} at the foot, {hashes} lead to the root of {entries}.")
    words = words.format(index=grouped(box.index), hashes=hashes, entries=entries)
    return format_html(
        '<svg class="merkle" viewBox="0 0 {} {}" width="{}" height="{}" role="img" '
        'aria-labelledby="path-title path-desc">'
        '<title id="path-title">{}</title><desc id="path-desc">{}</desc>'
        "{}{}{}{}{}</svg>",
        WIDTH,
        height,
        WIDTH,
        height,
        _("The path from the entry to the root"),
        words,
        joins,
        _node(MIDDLE, foot, "leaf"),
        root if box.steps else "",
        _label(MIDDLE, foot + 24, _("entry {index}").format(index=grouped(box.index)), "key"),
        _label(MIDDLE, (levels[-1] if levels else foot) - 16, _("root {hash}").format(hash=short(box.root)), "key"),
    )


def bar(reading: Reading) -> SafeString:
    """Draw the parts of a whole as one bar; the words beneath it give the numbers."""
    whole = max(1, reading.whole)
    parts = (("read", reading.read), ("excluded", reading.excluded), ("unread", reading.unread))
    start, drawn = 0.0, []
    for name, lines in parts:
        width = max(6.0, 1000 * lines / whole) if lines else 0.0
        drawn.append((f"{start:.1f}", f"{width:.1f}", name))
        start += width
    rects = format_html_join("", '<rect x="{}" y="0" width="{}" height="8" class="{}"/>', drawn)
    return format_html(
        '<svg class="bar" viewBox="0 0 {} 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">{}</svg>',
        f"{max(1000.0, start):.1f}",
        rects,
    )


def _join(y: int, side: str, value: str) -> SafeString:
    turn = -1 if side == "left" else 1
    x, low = MIDDLE + turn * ASIDE, y + RISE // 2
    return format_html(
        '<path class="edge" d="M{} {}V{}M{} {}Q{} {} {} {}"/>{}{}{}',
        MIDDLE, y + RISE, y, x, low, x - turn * 8, y, MIDDLE, y,
        _node(x, low, "sibling"), _node(MIDDLE, y, "inner"),
        _label(x + turn * 9, low + 4, short(value), "end" if side == "left" else "start"),
    )  # fmt: skip


def _node(x: int, y: int, kind: str) -> SafeString:
    radius = 4 if kind in ("sibling", "inner") else 7
    return format_html('<circle class="{}" cx="{}" cy="{}" r="{}"/>', kind, x, y, radius)


def _label(x: int, y: int, text: str, kind: str) -> SafeString:
    return format_html('<text class="{}" x="{}" y="{}">{}</text>', kind, x, y, text)
