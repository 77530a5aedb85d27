"""How values are spelt on the page: digests, times, durations, numbers, badges, the facts of a ledger entry."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django import template
from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from compliance.evidence import canonical
from compliance.evidence.leaf import FACTS
from compliance.portal import narrative
from compliance.requests.models import Channel, Ground, RefusalReason, Regulation
from compliance.requests.queries import TimelineEntry
from compliance.requests.states import RequestState

register = template.Library()

NONE = "–"
_PREFIX = 12
_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"))
_CODES: Mapping[str, str] = dict([*Ground.choices, *RefusalReason.choices, *Channel.choices, *Regulation.choices])


@register.filter
def short(digest: object) -> str:
    """The first characters of a digest or id: enough to tell two apart on a page."""
    text = str(digest)
    return text if len(text) <= _PREFIX else f"{text[:_PREFIX]}…"


@register.filter
def prefix(identifier: object) -> str:
    """The first block of a UUID."""
    return str(identifier).split("-")[0]


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """A time for people, with the exact one for machines."""
    if at is None:
        return NONE
    local = localtime(at)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), format_date(local, "j M Y, H:i"))


@register.filter
def day(at: datetime | None) -> SafeString | str:
    """The date alone."""
    if at is None:
        return NONE
    local = localtime(at)
    return format_html('<time datetime="{}">{}</time>', local.date().isoformat(), format_date(local, "j M Y"))


@register.filter
def duration(span: timedelta) -> str:
    """A length of time in its largest unit: 3 days, 1 hour, under a minute."""
    seconds = int(span.total_seconds())
    for unit_seconds, name in _UNITS:
        if seconds >= unit_seconds:
            n = seconds // unit_seconds
            return f"{n} {name}" if n == 1 else f"{n} {name}s"
    return "under a minute"


@register.filter
def since(at: datetime) -> str:
    """How long ago."""
    return duration(datetime.now(tz=UTC) - at)


@register.filter
def span(start: datetime, end: datetime) -> str:
    """How long from start to end."""
    return duration(end - start)


@register.filter
def number(value: float | str | None) -> str:
    """A number with four significant digits; whole numbers as they are; a dash for none."""
    if value is None:
        return NONE
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@register.filter
def percent(value: float | None) -> str:
    """A share of one as a percentage."""
    return NONE if value is None else f"{100 * value:.4g} %"


@register.filter
def words(name: str) -> str:
    """A name from code as words."""
    return name.replace("_", " ")


@register.filter
def pairs(counts: Mapping[str, int]) -> str:
    """Named counts in one line."""
    return ", ".join(f"{words(name)} {n}" for name, n in counts.items()) or NONE


@register.filter
def event_name(event_type: str) -> str:
    """What a ledger event is called; its code when it is a new one."""
    return narrative.EVENTS.get(event_type, event_type)


@register.filter
def facts(entry: TimelineEntry) -> list[tuple[str, str]]:
    """The facts of an entry as (name, value), in the order of the allow-list: codes of the law in words, ids shortened."""
    order = [name for name in FACTS.get(entry.event_type, ()) if name in entry.facts]
    return [(_fact_name(name), _fact_value(entry.facts[name])) for name in order]


@register.simple_tag
def badge(state: str) -> SafeString:
    """The state of a request. Tone is carried by a shape and a word as well as by a colour."""
    known = RequestState(state)
    return format_html('<span class="badge {}">{}</span>', narrative.STANDINGS[known].tone, known.label)


def _fact_name(name: str) -> str:
    return "number of targets" if name == "n_targets" else words(name.replace("_sha256", ""))


def _fact_value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_fact_value(item) for item in value) or "none"
    if canonical.is_uuid4(value):
        return prefix(value)
    return short(value) if canonical.is_sha256(value) else _CODES.get(str(value), str(value))
