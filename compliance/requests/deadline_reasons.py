"""Why a date is what it is, in sentences that a data protection officer and an auditor can follow with a calendar."""

from datetime import date, datetime

from compliance.requests.calendars import HOLIDAYS_SOURCE, ONE_DAY
from compliance.requests.clock import Clock, Suspension
from compliance.requests.regimes import Regime


def reasons_for(clock: Clock) -> tuple[str, ...]:
    """The counting of a clock, step by step. No sentence holds anything about the person."""
    sentences = [
        receipt_of(clock.regime, clock.received_at, clock.received_date, clock.zone),
        _first_period(clock),
        *_rolling(clock, clock.nominal_end),
        *_acknowledgement(clock),
        *_extension(clock),
        *_pauses(clock),
        f"Working days are those of {clock.calendar.label} ({HOLIDAYS_SOURCE}).",
    ]
    return tuple(sentences)


def receipt_of(regime: Regime, received_at: datetime, received_date: date, zone: str) -> str:
    """The first of the sentences, and the only one in which it matters at what time of the day something arrived."""
    return (
        f"Received at {received_at:%Y-%m-%d %H:%M} UTC, on {received_date} in {zone}. "
        f"That day is not counted ({regime.counting_source})."
    )


def _first_period(clock: Clock) -> str:
    regime = clock.regime
    return f"{regime.words(regime.length)} after receipt ends on {clock.nominal_end} ({regime.response_source})."


def _rolling(clock: Clock, nominal: date) -> list[str]:
    if not clock.regime.rolls_over:
        reason = clock.calendar.reason_off(nominal)
        kept = [f"{nominal} is {reason} and stays the last day ({clock.regime.rolling_source})."]
        return [] if reason is None else kept
    sentences, day, last = [], nominal, clock.last_day(nominal)
    while day < last:
        sentences.append(f"{day} is {clock.calendar.reason_off(day)}.")
        day += ONE_DAY
    if sentences:
        sentences.append(f"The next working day is {last} ({clock.regime.rolling_source}).")
    return sentences


def _acknowledgement(clock: Clock) -> list[str]:
    regime = clock.regime
    if clock.acknowledgement_date is None:
        return []
    return [
        f"Receipt is confirmed by {clock.acknowledgement_date}, {regime.acknowledgement_business_days} business days "
        f"after it ({regime.acknowledgement_source})."
    ]


def _extension(clock: Clock) -> list[str]:
    regime = clock.regime
    if regime.extension == 0:
        return []
    n_units = regime.length + regime.extension
    sentences = [
        f"Extended once, it is {regime.words(n_units)} and ends on {clock.nominal_extended_end} ({regime.response_source}).",
        *_rolling(clock, clock.nominal_extended_end),
    ]
    if clock.nominal_chained_end < clock.nominal_extended_end:
        sentences += [
            f"Counted as {regime.words(regime.extension)} from {clock.nominal_end} it ends on "
            f"{clock.nominal_chained_end}, which is earlier and therefore the target.",
            *_rolling(clock, clock.nominal_chained_end),
        ]
    return [*sentences, _notice(clock)]


def _notice(clock: Clock) -> str:
    if clock.extension_notice_at is None:
        return f"The person must be told, with the reasons, by the end of {clock.last_day(clock.nominal_end)}."
    return f"The person was told of the extension at {clock.extension_notice_at:%Y-%m-%d %H:%M} UTC."


def _pauses(clock: Clock) -> list[str]:
    if not clock.pauses:
        return []
    if not clock.regime.pauses_count:
        return [f"Waiting for the person does not stop this clock ({clock.regime.pause_source})."]
    told = [pause for pause in clock.suspensions if pause.from_date != pause.until_date]
    if not told:
        # Answered on the day of the question: that day runs in any case.
        return []
    return [
        *(_pause(pause) for pause in told),
        _paused_end("the first period", clock, clock.nominal_end),
        _paused_end("the extended one", clock, clock.nominal_extended_end),
        f"Alarms go by the dates without pauses; the others hold if the suspension is accepted ({clock.regime.pause_source}).",
    ]


def _pause(pause: Suspension) -> str:
    if pause.until_date is None:
        return f"The clock has stood still since {pause.from_date}."
    n_days = (pause.until_date - pause.from_date).days
    return f"The clock stood still from {pause.from_date} to {pause.until_date}, for {n_days} {'day' if n_days == 1 else 'days'}."


def _paused_end(what: str, clock: Clock, nominal: date) -> str:
    last = clock.last_day_with_pauses(nominal)
    return f"With pauses, {what} ends on {last}." if last else f"With pauses, {what} ends when the open pause is over."
