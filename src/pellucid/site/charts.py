"""Charts made here as SVG: bars, a timeline, a sparkline; each has a title, a description and its figures in a table.

A chart is a frozen value, so that a page model can hold it and its `.json` twin says the same. Places along the width
are percentages and heights are pixels: a chart fits any width with its letters undistorted. No colour stands alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from pellucid.record.facts import DayCount
from pellucid.release.portal import formats

TALL, LOW, LANE = 132, 44, 46
TOP = 18
LEAST = 2.0
DAYS_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class Series:
    """One row of figures, as many as the chart has labels."""

    name: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """Figures over time or by name: series stacked on each other, a column for each label."""

    id: str
    title: str
    desc: str
    unit: str  # what a label names: `Week of`
    labels: tuple[str, ...]
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Spark:
    """One row of figures at a glance."""

    id: str
    title: str
    desc: str
    unit: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]  # exactly one


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `state` is one of good, attention, failed, unknown."""

    at: datetime
    name: str
    state: str
    words: str


@dataclass(frozen=True, slots=True)
class Lane:
    """Events of one sort."""

    name: str
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened when, in lanes over the same span."""

    id: str
    title: str
    desc: str
    start: datetime
    end: datetime
    lanes: tuple[Lane, ...]


Chart = Bars | Spark | Timeline


def draw(chart: Chart) -> SafeString:
    """Return the drawing alone."""
    if isinstance(chart, Timeline):
        return _frame(chart, LANE * len(chart.lanes) + 4, _lanes(chart))
    if isinstance(chart, Spark):
        return _frame(chart, LOW, _line(chart.series[0].values))
    return _frame(chart, TALL, _columns(chart))


def weekly(days: Sequence[DayCount], kind: str, first: date, weeks: int) -> tuple[int, ...]:
    """Return how many statements of `kind` were logged in each of the `weeks` from the day `first` on."""
    counts = [0] * weeks
    for item in days:
        place = (item.day - first).days // DAYS_A_WEEK
        if item.kind == kind and 0 <= place < weeks:
            counts[place] += item.statements
    return tuple(counts)


def week_labels(first: date, weeks: int) -> tuple[str, ...]:
    """Return the first day of each week as it is written."""
    starts = (first + timedelta(days=DAYS_A_WEEK * place) for place in range(weeks))
    return tuple(_day(start) for start in starts)


def _frame(chart: Chart, height: int, inner: SafeString) -> SafeString:
    kind = type(chart).__name__.lower()
    return format_html(
        '<svg class="{kind}" width="100%" height="{height}" role="img" aria-labelledby="{id}-t {id}-d">'
        '<title id="{id}-t">{title}</title><desc id="{id}-d">{desc}</desc>{inner}</svg>',
        kind=kind, height=height, id=chart.id, title=chart.title, desc=chart.desc, inner=inner,
    )  # fmt: skip


def _columns(chart: Bars) -> SafeString:
    most = max((sum(column) for column in _by_label(chart)), default=0)
    rule = format_html('<line class="rule" x1="0" x2="100%" y1="{0}" y2="{0}"/>', TOP)
    foot = format_html('<line class="foot-line" x1="0" x2="100%" y1="{0}" y2="{0}"/>', TALL - 1)
    top = format_html('<text x="0" y="{}">{}</text>', TOP - 5, formats.grouped(most))
    width = 100 / max(1, len(chart.labels))
    columns = format_html_join(
        "", "<g><title>{}</title>{}</g>",
        ((_told(chart, place), _stack(column, most, place * width, width))
         for place, column in enumerate(_by_label(chart)) if any(column)),
    )  # fmt: skip
    return format_html("{}{}{}{}", rule, top, columns, foot)


def _stack(column: Sequence[int], most: int, x: float, width: float) -> SafeString:
    foot, drawn = float(TALL - 1), []
    for place, value in enumerate(column, start=1):
        height = max(LEAST, (TALL - 1 - TOP) * value / most) if value else 0.0
        foot -= height
        if value:
            drawn.append((place, f"{x + width * 0.14:.2f}", f"{foot:.1f}", f"{width * 0.72:.2f}", f"{height:.1f}"))
    return format_html_join("", '<rect class="c{}" x="{}%" y="{}" width="{}%" height="{}"/>', drawn)


def _line(values: Sequence[int]) -> SafeString:
    most, last = max(values, default=0) or 1, max(1, len(values) - 1)
    points = [(100 * place / last, LOW - 5 - (LOW - 10) * value / most) for place, value in enumerate(values)]
    path = " ".join(f"{x:.2f},{y:.1f}" for x, y in points)
    end = points[-1] if points else (0.0, 0.0)
    return format_html(
        '<svg class="stretched" viewBox="0 0 100 {low}" preserveAspectRatio="none" width="97%" height="{low}">'
        '<polygon points="0,{low} {path} 100,{low}"/><polyline points="{path}"/></svg>'
        '<circle cx="97%" cy="{y}" r="3.5"/>',
        low=LOW, path=path, y=f"{end[1]:.1f}",
    )  # fmt: skip


def _lanes(chart: Timeline) -> SafeString:
    span = max(1.0, (chart.end - chart.start).total_seconds())
    lanes = []
    for number, lane in enumerate(chart.lanes):
        middle = LANE * number + 31
        dots = format_html_join(
            "", "{}", ((_dot(event, 1.5 + 97 * (event.at - chart.start).total_seconds() / span, middle),)
                       for event in lane.events),
        )  # fmt: skip
        lanes.append((middle - 17, lane.name, middle, middle, dots))
    return format_html_join(
        "", '<text x="0" y="{}">{}</text><line class="rule" x1="0" x2="100%" y1="{}" y2="{}"/>{}', lanes
    )


def _dot(event: Event, x: float, y: int) -> SafeString:
    words = ", ".join(part for part in (event.name, event.words, formats.day_and_time(event.at)) if part)
    if event.state == "failed":
        shape = format_html('<rect class="failed" x="{}%" y="{}" width="11" height="11" rx="2"/>', f"{x:.2f}", y - 5)
    else:
        shape = format_html('<circle class="{}" cx="{}%" cy="{}" r="5.5"/>', event.state, f"{x:.2f}", y)
    return format_html("<g><title>{}</title>{}</g>", words, shape)


def _by_label(chart: Bars) -> list[tuple[int, ...]]:
    return list(zip(*(series.values for series in chart.series), strict=True))


def _told(chart: Bars, place: int) -> str:
    figures = ", ".join(f"{formats.grouped(series.values[place])} {series.name}" for series in chart.series)
    return _("{unit} {label}: {figures}").format(unit=chart.unit, label=chart.labels[place], figures=figures)


def _day(day: date) -> str:
    return formats.day(datetime(day.year, day.month, day.day, tzinfo=UTC))
