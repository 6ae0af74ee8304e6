"""What templates print the same way everywhere: times, hashes, icons, sentences, and two small drawings."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import escape

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from pellucid.release.portal.cards import Reading, hours
from pellucid.release.portal.claims import English, Phrase, Sentence, State, counted, day_and_time, short
from pellucid.release.portal.formats import decimal, grouped
from pellucid.release.portal.terms import term
from pellucid.site import drawings
from pellucid.site.logpages import InclusionBox

register = template.Library()
register.filter("counted", lambda number, noun: counted(number, *noun.split("|")))
register.filter("short", short)
register.filter("hours", hours)
register.filter("grouped", grouped)
register.filter("term", term)

MINUTE, HOUR, DAY = 60, 3600, 86400
_ID = re.compile(r"[0-9a-f]{32}")
_ICONS = {
    state: format_html(
        '<svg class="icon icon-{}" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">'
        '<circle cx="10" cy="10" r="9"/><path d="{}"/></svg>',
        state.value,
        drawings.ICONS[state],
    )
    for state in State
}


@register.simple_tag
def icon(state: State | str) -> SafeString:
    """Draw the icon of a state; the word beside it carries the meaning."""
    return _ICONS[State(state)]


@register.simple_tag(takes_context=True)
def when(context: template.Context, moment: datetime | None, *, none: str = "") -> SafeString:
    """Print a moment in UTC and how long ago it was; `none` where there is no moment."""
    if moment is None:
        return format_html('<span class="muted">{}</span>', none or _("no time attested"))
    ago = f'<span class="ago">({relative(moment, _as_of(context))})</span>'
    return _safe(f'<time datetime="{stamp(moment)}">{day_and_time(moment)} {ago}</time>')


@register.filter
def short_id(value: str) -> str:
    """Shorten what is a pseudonym or an id of 32 digits; everything else stays as it is."""
    return short(value) if _ID.fullmatch(value) else value


@register.simple_tag(takes_context=True)
def age(context: template.Context, moment: datetime | None, *, none: str = "") -> SafeString:
    """Print how long ago a moment was, with the moment itself for machines and on demand."""
    if moment is None:
        return format_html('<span class="muted">{}</span>', none or _("never"))
    ago = relative(moment, _as_of(context))
    return _safe(f'<time datetime="{stamp(moment)}" title="{day_and_time(moment)}">{ago}</time>')


@register.simple_tag
def say(words: Sentence) -> SafeString:
    """Print a sentence with its emphasis, times and links."""
    return _safe("".join(map(_phrase, words.phrases)))


@register.simple_tag
def hash(value: str, href: str = "") -> SafeString:  # noqa: A001 - the word that templates use
    """Print a hash whole, in a font where digits line up; scripts add a button that copies it."""
    inner = f'<code class="hash" data-copy>{escape(value)}</code>'
    return _safe(f'<a class="plain" href="{escape(href)}">{inner}</a>' if href else inner)


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
    return counted(size, "byte") if unit == "B" else f"{decimal(value)} {unit} ({counted(size, 'byte')})"


def relative(moment: datetime, now: datetime) -> str:
    """Say how far a moment is from now: `4 min ago`, `in 6 months`."""
    span = now - moment
    size = abs(span)
    if size < timedelta(seconds=45):
        return _("just now") if span >= timedelta(0) else _("in a moment")
    return _ago(size) if span > timedelta(0) else _ahead(size)


def _ago(size: timedelta) -> str:
    number, unit = _span(size)
    match unit:
        case "min":
            return counted(number, "{n} min ago", "{n} min ago")
        case "hour":
            return counted(number, "{n} hour ago", "{n} hours ago")
        case "day":
            return counted(number, "{n} day ago", "{n} days ago")
        case "month":
            return counted(number, "{n} month ago", "{n} months ago")
    return counted(number, "{n} year ago", "{n} years ago")


def _ahead(size: timedelta) -> str:
    number, unit = _span(size)
    match unit:
        case "min":
            return counted(number, "in {n} min", "in {n} min")
        case "hour":
            return counted(number, "in {n} hour", "in {n} hours")
        case "day":
            return counted(number, "in {n} day", "in {n} days")
        case "month":
            return counted(number, "in {n} month", "in {n} months")
    return counted(number, "in {n} year", "in {n} years")


def _span(size: timedelta) -> tuple[int, str]:
    """Return a length of time as a whole number of the largest unit that tells enough."""
    seconds = size.total_seconds()
    days = round(seconds / DAY)
    if seconds < HOUR:
        return max(1, round(seconds / MINUTE)), "min"
    if seconds < DAY:
        return round(seconds / HOUR), "hour"
    if days < 60:
        return days, "day"
    return (round(days / 30.4), "month") if days < 730 else (round(days / 365.25), "year")


def stamp(moment: datetime) -> str:
    """Write a moment in RFC 3339, for machines."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _phrase(phrase: Phrase) -> str:
    text = phrase.text
    inner = text.__html__() if isinstance(text, English) else escape(text)
    if phrase.at is not None:
        inner = f'<time datetime="{stamp(phrase.at)}">{inner}</time>'
    if phrase.href is not None:
        inner = f'<a href="{escape(phrase.href)}">{inner}</a>'
    return f"<strong>{inner}</strong>" if phrase.strong else inner


def _safe(markup: str) -> SafeString:
    """Mark what was put together from markup and escaped words; thousands of `format_html` make a page slow."""
    return mark_safe(markup)  # noqa: S308 - escaped where it is put together


def _as_of(context: template.Context) -> datetime:
    page = context.get("page")
    return getattr(page, "as_of", None) or datetime.now(UTC)
