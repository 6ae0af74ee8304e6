"""Charts in templates: the drawing, its legend and, folded away, the same figures as a table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils.translation import gettext as _

from pellucid.release.portal import formats
from pellucid.release.portal.pages import ReleaseLine
from pellucid.site.charts import Bars, Chart, Event, Lane, Timeline, draw

register = template.Library()
register.simple_tag(draw, name="draw")


@register.inclusion_tag("parts/chart.html")
def chart(figure: Chart) -> dict[str, Any]:
    """Show a chart with its title, legend and table."""
    rows: tuple[tuple[str, tuple[int, ...]], ...] = ()
    if isinstance(figure, Timeline):
        first, last = formats.day(figure.start), formats.day(figure.end)
    else:
        first, last = (figure.labels[0], figure.labels[-1]) if figure.labels else ("", "")
        values = list(zip(*(series.values for series in figure.series), strict=True))
        rows = tuple(zip(figure.labels, values, strict=True))
    legend = figure.series if isinstance(figure, Bars) and len(figure.series) > 1 else ()
    return {"chart": figure, "first": first, "last": last, "rows": rows, "legend": legend}


@register.inclusion_tag("parts/timeline.html")
def release_timeline(lines: Iterable[ReleaseLine]) -> dict[str, Any]:
    """Draw when releases were logged, each with how its review stands; the list beside it has the same in words."""
    dated = [(line, line.logged_at) for line in lines if line.logged_at is not None]
    if len(dated) < 2:
        return {}
    times, now = [moment for _line, moment in dated], datetime.now(UTC).replace(microsecond=0)
    start, end = min(times), max(*times, now)
    desc = _("Each mark is a release; its shape and colour say how its review stands. The list has the same in words.")
    lane = Lane(_("Releases by how their review stands"), tuple(_event(line, moment) for line, moment in dated))
    figure = Timeline("timeline", _("When releases were logged"), desc, start, end, (lane,))
    return {"drawn": draw(figure), "first": formats.day(start), "last": formats.day(end)}


def _event(line: ReleaseLine, moment: datetime) -> Event:
    worst = next((badge for badge in line.badges if badge.state.value == "failed"), line.review)
    return Event(moment, line.version, worst.state.value, worst.text)
