"""What templates print the same way everywhere: times, hashes, icons, sentences, and two small drawings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from pellucid.release.portal.cards import Reading, hours
from pellucid.release.portal.claims import Sentence, State, counted, day_and_time, short
from pellucid.site import drawings
from pellucid.site.logpages import InclusionBox

register = template.Library()
register.filter("counted", lambda number, noun: counted(number, *noun.split("|")))
register.filter("short", short)
register.filter("hours", hours)

MINUTE, HOUR, DAY = 60, 3600, 86400


@register.simple_tag
def icon(state: State | str) -> SafeString:
    """Draw the icon of a state; the word beside it carries the meaning."""
    return format_html(
        '<svg class="icon icon-{}" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">'
        '<circle cx="10" cy="10" r="9"/><path d="{}"/></svg>',
        State(state).value,
        drawings.ICONS[State(state)],
    )


@register.simple_tag(takes_context=True)
def when(context: template.Context, moment: datetime | None, *, none: str = "no time attested") -> SafeString:
    """Print a moment in UTC and how long ago it was; `none` where there is no moment."""
    if moment is None:
        return format_html('<span class="muted">{}</span>', none)
    return format_html(
        '<time datetime="{}">{} <span class="ago">({})</span></time>',
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        day_and_time(moment),
        relative(moment, _as_of(context)),
    )


@register.simple_tag(takes_context=True)
def age(context: template.Context, moment: datetime | None, *, none: str = "never") -> SafeString:
    """Print how long ago a moment was, with the moment itself for machines and on demand."""
    if moment is None:
        return format_html('<span class="muted">{}</span>', none)
    stamp = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', stamp, day_and_time(moment), relative(moment, _as_of(context))
    )


@register.simple_tag
def say(words: Sentence) -> SafeString:
    """Print a sentence with its emphasis, times and links."""
    return format_html_join("", "{}", ((_phrase(item),) for item in words.phrases))


@register.simple_tag
def hash(value: str, href: str = "") -> SafeString:  # noqa: A001 - the word that templates use
    """Print a hash whole, in a font where digits line up; scripts add a button that copies it."""
    inner = format_html('<code class="hash" data-copy>{}</code>', value)
    return format_html('<a class="plain" href="{}">{}</a>', href, inner) if href else inner


@register.simple_tag
def merkle(box: InclusionBox) -> SafeString:
    """Draw how an entry's hash is joined with the hashes of its proof up to the root."""
    return drawings.merkle_path(box)


@register.simple_tag
def reading_bar(reading: Reading) -> SafeString:
    """Draw how much was read, left out, and came later."""
    return drawings.bar(reading)


@register.filter
def filesize(size: int) -> str:
    """Write a size in bytes and, from a kibibyte on, in a larger unit too."""
    value, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            break
        value /= 1024
    return counted(size, "byte") if unit == "B" else f"{value:.1f} {unit} ({counted(size, 'byte')})"


@register.filter
def grouped(number: int) -> str:
    """Write a number with its thousands apart."""
    return f"{number:,}"


def relative(moment: datetime, now: datetime) -> str:
    """Say how far a moment is from now: `4 min ago`, `in 6 months`."""
    span = now - moment
    size = abs(span)
    if size < timedelta(seconds=45):
        return "just now" if span >= timedelta(0) else "in a moment"
    words = _span(size)
    return f"{words} ago" if span > timedelta(0) else f"in {words}"


def _span(size: timedelta) -> str:
    seconds = size.total_seconds()
    if seconds < HOUR:
        return f"{max(1, round(seconds / MINUTE))} min"
    if seconds < DAY:
        return counted(round(seconds / HOUR), "hour")
    days = round(seconds / DAY)
    if days < 60:
        return counted(days, "day")
    return counted(round(days / 30.4), "month") if days < 730 else counted(round(days / 365.25), "year")


def _phrase(phrase: Any) -> SafeString:
    inner = format_html("{}", phrase.text)
    if phrase.at is not None:
        inner = format_html(
            '<time datetime="{}">{}</time>', phrase.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), inner
        )
    if phrase.href is not None:
        inner = format_html('<a href="{}">{}</a>', phrase.href, inner)
    return format_html("<strong>{}</strong>", inner) if phrase.strong else inner


def _as_of(context: template.Context) -> datetime:
    page = context.get("page")
    return getattr(page, "as_of", None) or datetime.now(UTC)
