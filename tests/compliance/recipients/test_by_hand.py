"""What staff record and decide: told by other means, answered on paper, impossible; and what waits for it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_django import Settings

from compliance.evidence import commitment
from compliance.evidence.verify import verify_bundle
from compliance.ledger.actors import SYSTEM
from compliance.outbound import pace
from compliance.recipients import notices, pending, told
from compliance.recipients.actions.change_recipient import change_recipient
from compliance.recipients.actions.declare_impossible import declare_impossible
from compliance.recipients.actions.record_acknowledged import record_acknowledged
from compliance.recipients.actions.record_told import record_told
from compliance.recipients.details import Details
from compliance.recipients.models import Notice
from compliance.reports.request_bundle import export
from compliance.requests import identities
from compliance.requests.errors import (
    ForbiddenActorError,
    InvalidInputError,
    NotFoundError,
    NotReadyError,
    ScopeDriftError,
    StateError,
)
from compliance.requests.letter_parts import parts_of
from compliance.requests.models import DeletionRequest, Letter
from tests.compliance import cast
from tests.compliance.outbound.receiver import Receiver
from tests.compliance.recipients import scene

pytestmark = pytest.mark.django_db
DIGEST = "cd" * 32
WORDS = f"{cast.ALICE} was never in touch with them, and they were dissolved."


def today() -> date:
    return datetime.now(tz=UTC).date()


def tell(notice: Notice) -> Notice:
    return record_told(notice.pk, actor=scene.bob(), told_date=today(), document_sha256=DIGEST)


def give_up(notice: Notice) -> Notice:
    return declare_impossible(notice.pk, actor=scene.dana(), reason="impossible", words=WORDS)


REFUSED: dict[str, tuple[Callable[[Notice], object], type[Exception]]] = {
    "told by nobody": (lambda n: record_told(n.pk, actor=SYSTEM, told_date=today()), ForbiddenActorError),
    "told tomorrow": (
        lambda n: record_told(n.pk, actor=scene.bob(), told_date=today() + timedelta(days=1)),
        InvalidInputError,
    ),
    "told with no digest": (
        lambda n: record_told(n.pk, actor=scene.bob(), told_date=today(), document_sha256="AB"),
        InvalidInputError,
    ),
    "told of no notice": (lambda n: record_told(SYSTEM.id, actor=scene.bob(), told_date=today()), NotFoundError),
    "answered before it was told": (
        lambda n: record_acknowledged(n.pk, actor=scene.bob(), result="done", document_sha256=DIGEST),
        StateError,
    ),
    "answered without a document": (
        lambda n: record_acknowledged(n.pk, actor=scene.bob(), result="done", document_sha256=""),
        InvalidInputError,
    ),
    "answered by nobody": (
        lambda n: record_acknowledged(n.pk, actor=SYSTEM, result="done", document_sha256=DIGEST),
        ForbiddenActorError,
    ),
    "impossible by an operator": (
        lambda n: declare_impossible(n.pk, actor=scene.bob(), reason="impossible", words=WORDS),
        ForbiddenActorError,
    ),
    "impossible for another reason": (
        lambda n: declare_impossible(n.pk, actor=scene.dana(), reason="tedious", words=WORDS),
        InvalidInputError,
    ),
    "impossible without words": (
        lambda n: declare_impossible(n.pk, actor=scene.dana(), reason="impossible", words=" "),
        InvalidInputError,
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_refuses(case: str) -> None:
    act, error = REFUSED[case]
    notice = scene.owed(scene.waiting())
    with pytest.raises(error):
        act(notice)
    notice.refresh_from_db()
    assert notice.status == "owed"


def test_what_was_recorded_by_hand_is_committed_to_and_not_kept() -> None:
    request = scene.waiting()
    notice = tell(scene.owed(request))
    record_acknowledged(notice.pk, actor=scene.bob(), result="done", document_sha256=DIGEST)
    key = identities.commitment_key(request.vault)
    said = {"notice": str(notice.pk), "told_date": today().isoformat(), "document_sha256": DIGEST}
    answered = {"notice": str(notice.pk), "result": "done", "reason": "", "document_sha256": DIGEST}
    (first,) = scene.facts_of(request, "request.recipient_notified")
    (second,) = scene.facts_of(request, "request.recipient_acknowledged")
    assert first["notice_sha256"] == commitment.commit(key, "notice", said)
    assert second["acknowledgement_sha256"] == commitment.commit(key, "acknowledgement", answered)
    assert DIGEST not in str(list(Notice.objects.values()))
    with pytest.raises(StateError):
        tell(notice)
    with pytest.raises(StateError):
        give_up(notice)


def test_words_why_it_is_impossible_are_sealed_with_the_request() -> None:
    request = scene.waiting()
    notice = give_up(scene.owed(request))
    (facts,) = scene.facts_of(request, "request.recipient_impossible")
    assert facts == {"recipient": str(notice.recipient_id), "reason": "impossible"}
    assert identities.open_note(request.vault, notice.sealed_words) == WORDS
    assert cast.MARK.encode() not in bytes(notice.sealed_words)


def test_a_decision_ends_the_alarm_of_a_delivery_that_was_given_up(server: Receiver) -> None:
    server.statuses = [500]
    notice = scene.owed(scene.waiting(), url=scene.url_of(server))
    for _ in range(pace.MAX_TRIES):
        scene.sent(notice)
    assert scene.delivery_of(notice).alarmed_at is not None
    give_up(notice)
    assert scene.delivery_of(notice).alarmed_at is None
    assert list(pending.undecided()) == []


def test_what_is_impossible_is_not_sent_any_more(server: Receiver) -> None:
    notice = scene.owed(scene.waiting(), url=scene.url_of(server))
    give_up(notice)
    scene.sent(notice)
    assert server.received == []


def test_after_shredding_nothing_is_recorded_by_hand() -> None:
    notice = scene.owed_late()
    assert list(pending.undecided()) == [notice]
    scene.shredded(notice.request)
    assert list(pending.undecided()) == []
    for act in (tell, give_up):
        with pytest.raises(StateError, match="shredded"):
            act(notice)


def test_sign_off_waits_until_each_was_told_or_it_is_impossible(server: Receiver) -> None:
    request = scene.waiting()
    first, second = scene.owed(request, "First", url=scene.url_of(server)), scene.owed(request, "Second")
    for names in ("answer: First, Second", "answer: Second"):
        with pytest.raises(NotReadyError, match=names):
            pending.refuse_unfinished(request)
        scene.sent(first)
    give_up(second)
    pending.refuse_unfinished(request)


def test_where_answers_are_required_only_the_dpo_goes_on_without(settings: Settings) -> None:
    settings.RECIPIENT_ACK_REQUIRED = True
    request = scene.waiting()
    answered, silent = tell(scene.owed(request, "Answered")), tell(scene.owed(request, "Silent"))
    record_acknowledged(answered.pk, actor=scene.bob(), result="nothing_held", document_sha256=DIGEST)
    with pytest.raises(NotReadyError, match="answer: Silent"):
        pending.refuse_unfinished(request)
    declare_impossible(silent.pk, actor=scene.dana(), reason="disproportionate", words="No answer in three weeks.")
    pending.refuse_unfinished(request)


def test_a_recipient_without_its_notice_is_missed() -> None:
    request = scene.waiting()
    scene.owed(request).delete()
    with pytest.raises(NotReadyError, match="owe"):
        pending.refuse_unfinished(request)


def test_a_request_in_another_state_is_not_asked() -> None:
    request = cast.ask().request
    pending.refuse_unfinished(request)


def test_the_letter_names_those_that_were_told(server: Receiver) -> None:
    request = scene.waiting()
    scene.sent(scene.owed(request, "Zeta", url=scene.url_of(server)))
    tell(scene.owed(request, "Alpha"))
    give_up(scene.owed(request, "Gone"))
    cast.second_signature(request.pk)
    assert told.names(request) == ("Alpha", "Zeta")
    letter = Letter.objects.get(request=DeletionRequest.objects.get(pk=request.pk), kind="completed")
    assert getattr(parts_of(letter), "recipients", None) == ("Alpha", "Zeta")


def test_a_model_that_forgot_after_the_others_makes_a_second_notice_of_itself_alone() -> None:
    request = scene.waiting()
    first = tell(scene.owed(request, "Fabrikam SAS"))
    late = cast.model_of("late", cast.ALICE)
    change_recipient(first.recipient_id, Details(models=("spam", "late")), actor=scene.dana())
    assert not notices.not_owed(request).exists(), "the late model has not forgotten anybody yet"
    with pytest.raises(ScopeDriftError):
        cast.second_signature(request.pk)
    for step in (cast.decide, cast.make_plan, cast.work):
        step(request.pk)
    second = Notice.objects.exclude(pk=first.pk).get(request=request)
    assert list(second.models.all()) == [late]
    assert [model.name for model in first.models.all()] == ["spam"]
    with pytest.raises(NotReadyError, match="Fabrikam SAS"):
        cast.second_signature(request.pk)
    tell(second)
    cast.second_signature(request.pk)
    assert told.names(request) == ("Fabrikam SAS",)
    assert notices.owe(request) == []
    cast.run_ledger()
    verify_bundle(export(request.pk))
