"""How values are spelt on the page: digests, times, durations, numbers, badges, the facts of a ledger entry."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import template
from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import get_language_info

from compliance.evidence import canonical
from compliance.evidence.leaf import FACTS
from compliance.portal import narrative
from compliance.requests.actions.unveil import UnveilingReason
from compliance.requests.models import (
    Channel,
    ExtensionReason,
    Ground,
    HoldReason,
    LinkReason,
    RefusalReason,
    Regulation,
)
from compliance.requests.queries import MOST_COUNTED, TimelineEntry
from compliance.requests.states import RequestState

register = template.Library()

NONE = "–"
_PREFIX = 12
_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"))
_SOON_DAYS = 7
# Kind of fact → code → what it means. The same code may stand for one thing as a ground and another as a reason.
WORDS: Mapping[str, Mapping[str, Any]] = {
    "channel": dict(Channel.choices),
    "regulation": dict(Regulation.choices),
    "ground": dict(Ground.choices),
    "refusal reason": dict(RefusalReason.choices),
    "extension reason": dict(ExtensionReason.choices),
    "hold reason": dict(HoldReason.choices),
    "link reason": dict(LinkReason.choices),
    "unveiling reason": dict(UnveilingReason.choices),
    "identity method": narrative.IDENTITY_METHODS,
    "notice": narrative.NOTICES,
}


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
def day(at: date | None) -> SafeString | str:
    """The date alone, of a time or of a date that has no time."""
    if at is None:
        return NONE
    local = localtime(at).date() if isinstance(at, datetime) else at
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), format_date(local, "j M Y"))


@register.filter
def days_left(n_days: int) -> str:
    """How many days are left, in words; less than none is overdue."""
    if n_days == 0:
        return "due today"
    n = abs(n_days)
    counted = f"{n} day" if n == 1 else f"{n} days"
    return f"{counted} left" if n_days > 0 else f"overdue by {counted}"


@register.filter
def urgency(n_days: int) -> str:
    """The tone of a date so many days away: an alarm once it is past, a call on people in the week before."""
    if n_days < 0:
        return "alarm"
    return "person" if n_days <= _SOON_DAYS else "waiting"


@register.filter
def days_until(end: date, today: date) -> int:
    """Days from today to a date; less than none once it is past."""
    return (end - today).days


@register.filter
def language(locale: str) -> str:
    """The English name of a language by its code; the code of one that Django does not know."""
    try:
        return str(get_language_info(locale)["name"])
    except KeyError:
        return locale


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
    kinds = FACTS.get(entry.event_type, {})
    return [(_fact_name(name), _fact_value(entry.facts[name], kinds[name])) for name in kinds if name in entry.facts]


@register.simple_tag
def badge(state: str) -> SafeString:
    """The state of a request. Tone is carried by a shape and a word as well as by a colour."""
    known = RequestState(state)
    return format_html('<span class="badge {}">{}</span>', narrative.STANDINGS[known].tone, known.label)


def _fact_name(name: str) -> str:
    return "number of targets" if name == "n_targets" else words(name.replace("_sha256", ""))


def _fact_value(value: object, kind: str) -> str:
    if isinstance(value, list):
        return ", ".join(_fact_value(item, kind) for item in value) or "none"
    if canonical.is_uuid4(value):
        return prefix(value)
    return short(value) if canonical.is_sha256(value) else str(WORDS.get(kind, {}).get(str(value), value))


@register.filter
def counted(n: int) -> str:
    """A number of requests. From `MOST_COUNTED` on nobody counts: of a state, and so of any sum, there are that many."""
    return f"{MOST_COUNTED:,}+" if n >= MOST_COUNTED else f"{n}"
