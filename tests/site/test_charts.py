"""Charts say in words and in a table what they draw, fit any width, and print hostile names as they are."""

from __future__ import annotations

import html
import re
from datetime import UTC, date, datetime, timedelta

from django.template import Context, Template
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from pellucid.record.facts import DayCount
from pellucid.site.charts import Bars, Chart, Event, Lane, Series, Spark, Timeline, draw, week_labels, weekly

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
EVIL = '"><script>alert(1)</script>'


def bars(*values: tuple[int, ...]) -> Bars:
    series = tuple(Series(f"series {place}", row) for place, row in enumerate(values))
    labels = tuple(f"label {place}" for place in range(len(values[0])))
    return Bars("b", "A title", "A description.", "Week", labels, series)


def timeline(*events: Event) -> Timeline:
    return Timeline("t", "A title", "A description.", NOW - timedelta(days=10), NOW, (Lane("A lane", events),))


def shown(chart: Chart) -> str:
    return Template("{% load charts %}{% chart it %}").render(Context({"it": chart}))


def test_a_chart_has_a_title_a_description_and_its_figures_in_a_table() -> None:
    page = shown(bars((1200, 0, 5), (3, 4, 0)))
    assert '<svg class="bars" width="100%"' in page
    assert 'aria-labelledby="b-t b-d"' in page
    assert '<title id="b-t">A title</title><desc id="b-d">A description.</desc>' in page
    cells = [" ".join(row) for row in re.findall(r'<th scope="row">(.*?)</th>.*?>(\d[\d,]*)</td>.*?>(\d+)</td>', page)]
    assert cells == ["label 0 1,200 3", "label 1 0 4", "label 2 5 0"]
    assert "Week label 0: 1,200 series 0, 3 series 1" in page


def test_a_timelines_table_names_each_event_and_how_it_stands() -> None:
    page = shown(timeline(Event(NOW - timedelta(days=3), "1.2", "failed", "withdrawn")))
    assert "<td>1.2</td><td>withdrawn</td>" in page
    assert '<rect class="failed"' in page  # another shape, not only another colour


def test_numbers_are_written_in_the_readers_language() -> None:
    with override("de"):
        assert "<text" in draw(bars((1200,)))
        assert "1.200" in draw(bars((1200,)))


def test_names_are_text_wherever_they_stand() -> None:
    spark = Spark("s", EVIL, EVIL, EVIL, (EVIL,), (Series(EVIL, (1,)),))
    for chart in (spark, timeline(Event(NOW, EVIL, "good", EVIL)), Bars("b", EVIL, EVIL, EVIL, (EVIL,), spark.series)):
        assert "<script>" not in shown(chart)
        assert html.escape(EVIL) in shown(chart)


@given(st.lists(st.lists(st.integers(0, 10**12), min_size=4, max_size=4), min_size=1, max_size=4))
def test_bars_stay_on_their_ground_and_grow_with_their_figures(rows: list[list[int]]) -> None:
    drawn = draw(bars(*map(tuple, rows)))
    found = [
        (float(y), float(height)) for y, height in re.findall(r'<rect [^>]*?y="([\d.]+)"[^>]*?height="([\d.]+)"', drawn)
    ]
    assert len(found) == sum(value > 0 for row in rows for value in row)
    assert all(y >= 8 and y + height <= 131.2 and height >= 2 for y, height in found)


@given(st.lists(st.integers(0, 10**9), max_size=60))
def test_a_sparkline_of_anything_is_drawn_inside_its_box(values: list[int]) -> None:
    drawn = draw(Spark("s", "t", "d", "u", tuple(map(str, values)), (Series("n", tuple(values)),)))
    points = re.search(r'<polyline points="([^"]*)"', drawn)
    assert points is not None
    places = [tuple(map(float, point.split(","))) for point in points[1].split()]
    assert len(places) == len(values)
    assert all(0 <= x <= 100 and 0 <= y <= 44 for x, y in places)


def test_weeks_count_each_day_once_and_nothing_outside() -> None:
    first = date(2026, 11, 2)
    days = [DayCount(first + timedelta(days=place), "review", 1) for place in range(-1, 15)]
    assert weekly(days, "review", first, 2) == (7, 7)
    assert weekly(days, "release", first, 2) == (0, 0)
    assert week_labels(first, 2) == ("2 Nov 2026", "9 Nov 2026")
