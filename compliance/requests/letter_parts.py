"""From the rows of a request to the parts of a letter. What is missing stays empty, so that composing refuses it."""

from collections.abc import Callable, Mapping
from datetime import date, datetime

from django.conf import settings
from django.db.models import Q

from compliance.evidence.verdict import Result
from compliance.identity import silence
from compliance.law.provisions import EXTENSIONS, GROUNDS, REFUSALS, Provision
from compliance.letters.errors import MissingPartError
from compliance.letters.language import language_of
from compliance.letters.parts import (
    Assurance,
    ClosedUnverified,
    Completed,
    Extension,
    Frame,
    Identity,
    IdentityReminder,
    NextStep,
    Outcome,
    PartlyCompleted,
    Parts,
    Question,
    Receipt,
    Refused,
    Remaining,
    Remedies,
    Text,
    Withdrawn,
)
from compliance.recipients import told
from compliance.requests import clocks, identities
from compliance.requests.calendars import ONE_DAY, local_date
from compliance.requests.models import DeletionRequest, Evidence, Letter, Regulation, SealedNote, Target
from compliance.requests.states import RequestState, TargetState

_UNPROVEN = (RequestState.RECEIVED, RequestState.IDENTITY_PENDING)


def parts_of(letter: Letter) -> Parts:
    """The parts of an owed letter, from the rows as they are now; raises MissingPartError for what they do not hold."""
    return _PARTS[Letter.Kind(letter.kind)](letter)


def identity_parts(request: DeletionRequest, code: str) -> Identity:
    """The parts of the mail with a one-time code."""
    return Identity(
        frame=_frame(request),
        due_date=request.due_date,
        code=code,
        minutes=settings.IDENTITY_CODE_SECONDS // 60,
    )


def _receipt(letter: Letter) -> Receipt:
    request = letter.request
    step = NextStep.IDENTITY if request.state in _UNPROVEN else NextStep.REVIEW
    return Receipt(frame=_frame(request), due_date=request.due_date, next_step=step)


def _identity(letter: Letter) -> Identity:
    # A code is never stored, so that no row can owe one.
    return identity_parts(letter.request, "")


def _identity_reminder(letter: Letter) -> IdentityReminder:
    # On the closing date itself the request may be closed at any hour.
    last_day = silence.closing_date(letter.request) - ONE_DAY
    return IdentityReminder(frame=_frame(letter.request), answer_by_date=last_day)


def _question(letter: Letter) -> Question:
    asked = letter.request.notes.filter(kind=SealedNote.Kind.QUESTION, created_at__lte=letter.created_at).last()
    text = "" if asked is None else identities.open_note(letter.request.vault, asked.sealed_text)
    return Question(frame=_frame(letter.request), question=Text(text))


def _extension(letter: Letter) -> Extension:
    request = letter.request
    dates = clocks.deadlines(request)
    return Extension(
        frame=_frame(request),
        due_date=dates.first.due_date,
        new_due_date=dates.extended_target.due_date,
        reasons=tuple(EXTENSIONS[code] for code in (request.extension_reason,) if code),
    )


def _completed(letter: Letter) -> Completed:
    request = letter.request
    return Completed(
        frame=_frame(request),
        closed_date=_day(letter, "closed_date", request.closed_at),
        ground=_ground(letter),
        remedies=_remedies(request),
        outcomes=_outcomes(letter),
        n_not_concerned=request.targets.filter(state=TargetState.NOT_PRESENT).count(),
        recipients=told.names(request),
    )


def _partly_completed(letter: Letter) -> PartlyCompleted:
    whole = _completed(letter)
    return PartlyCompleted(
        frame=whole.frame,
        closed_date=whole.closed_date,
        ground=whole.ground,
        remaining=tuple(_remaining(target) for target in _targets(letter, TargetState.EXCEPTED)),
        remedies=whole.remedies,
        facts=_facts(letter.request),
        outcomes=whole.outcomes,
        n_not_concerned=whole.n_not_concerned,
        recipients=whole.recipients,
    )


def _refused(letter: Letter) -> Refused:
    request = letter.request
    return Refused(
        frame=_frame(request),
        decided_date=_day(letter, "decided_date", request.decided_at),
        reasons=tuple(REFUSALS[code] for code in (request.refusal_reason,) if code),
        remedies=_remedies(request),
        facts=_facts(request),
    )


def _withdrawn(letter: Letter) -> Withdrawn:
    request = letter.request
    return Withdrawn(frame=_frame(request), closed_date=_day(letter, "closed_date", request.closed_at))


def _closed_unverified(letter: Letter) -> ClosedUnverified:
    request = letter.request
    return ClosedUnverified(
        frame=_frame(request),
        closed_date=_day(letter, "closed_date", request.closed_at),
        reasons=(REFUSALS["art12_6"],),
        remedies=_remedies(request),
    )


_PARTS: Mapping[Letter.Kind, Callable[[Letter], Parts]] = {
    Letter.Kind.RECEIPT: _receipt,
    Letter.Kind.IDENTITY: _identity,
    Letter.Kind.IDENTITY_REMINDER: _identity_reminder,
    Letter.Kind.QUESTION: _question,
    Letter.Kind.EXTENSION: _extension,
    Letter.Kind.COMPLETED: _completed,
    Letter.Kind.PARTLY_COMPLETED: _partly_completed,
    Letter.Kind.REFUSED: _refused,
    Letter.Kind.WITHDRAWN: _withdrawn,
    Letter.Kind.CLOSED_UNVERIFIED: _closed_unverified,
}


def _frame(request: DeletionRequest) -> Frame:
    return Frame(
        request_id=str(request.pk),
        received_date=local_date(request.received_at, settings.TIME_ZONE),
        controller=settings.CONTROLLER_NAME,
        contact=settings.CONTACT,
        is_gdpr=request.regulation == Regulation.GDPR,
    )


def _remedies(request: DeletionRequest) -> Remedies:
    """The settings refuse to start without an authority outside DEBUG; a court need not be named."""
    language = language_of(request.locale)
    return Remedies(
        authority=settings.SUPERVISORY_AUTHORITY or language.authority, court=settings.COURT or language.court
    )


def _day(letter: Letter, part: str, at: datetime | None) -> date:
    if at is None:
        raise MissingPartError(letter.kind, part)
    return local_date(at, settings.TIME_ZONE)


def _ground(letter: Letter) -> Provision:
    if not letter.request.accepted_ground:
        raise MissingPartError(letter.kind, "ground")
    return GROUNDS[letter.request.accepted_ground]


def _facts(request: DeletionRequest) -> Text:
    excepted = request.targets.filter(state=TargetState.EXCEPTED).values("model")
    notes = request.notes.filter(Q(model=None) | Q(model__in=excepted), kind=SealedNote.Kind.REASONS)
    return Text("\n".join(identities.open_note(request.vault, note.sealed_text) for note in notes))


def _targets(letter: Letter, state: TargetState) -> list[Target]:
    return list(letter.request.targets.filter(state=state).select_related("model", "job__before"))


def _remaining(target: Target) -> Remaining:
    return Remaining(model=target.model.name, n_records=target.n_records, reason=REFUSALS[target.exception])


def _outcomes(letter: Letter) -> tuple[Outcome, ...]:
    return tuple(_outcome(letter, target) for target in _targets(letter, TargetState.DEPLOYED))


def _outcome(letter: Letter, target: Target) -> Outcome:
    """One model's outcome, from the evidence of its present job: no words without evidence."""
    evidence = Evidence.objects.filter(target=target, job=target.job).first()
    if evidence is None or target.job is None or target.job.outcome is None:
        raise MissingPartError(letter.kind, "outcomes.assurance")
    older = target.job.before
    return Outcome(
        model=target.model.name,
        n_records=target.n_records,
        assurance=Assurance(target.job.outcome["assurance"]),
        result=Result(evidence.result),
        in_service_date=_day(letter, "outcomes.in_service_date", letter.request.closed_at),
        older_until_date=None
        if older is None or older.destroy_after is None
        else local_date(older.destroy_after, settings.TIME_ZONE),
    )
