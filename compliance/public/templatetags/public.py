"""Words in templates: `{% say "key" name=value %}`, `{{ day|in_words:words }}`."""

from datetime import date, datetime
from typing import Any

from django import template
from django.utils.html import conditional_escape
from django.utils.timezone import localdate

from compliance.public.words import Words

register = template.Library()


@register.simple_tag(takes_context=True)
def say(context: dict[str, Any], key: str, **values: object) -> str:
    """The text of this key in the page's language; raises KeyError for one that is not there. Everything is escaped."""
    words: Words = context["words"]
    return conditional_escape(words.text(key, **values))


@register.filter
def in_words(day: date, words: Words) -> str:
    """A day, or the day of a moment where the controller is, written out."""
    return words.date(localdate(day) if isinstance(day, datetime) else day)
