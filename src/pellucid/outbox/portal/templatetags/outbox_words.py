"""Kinds, channels and states in the reader's language."""

from __future__ import annotations

from django import template

from pellucid.outbox.notice import NoticeKind
from pellucid.outbox.portal.pages import channel_words, state_words
from pellucid.outbox.portal.texts import KIND_NAMES

register = template.Library()
register.simple_tag(channel_words, name="channel_name")
register.simple_tag(state_words, name="state_name")


@register.simple_tag
def kind_name(kind: str) -> str:
    """Say a kind of notices."""
    return str(KIND_NAMES[NoticeKind(kind)])
