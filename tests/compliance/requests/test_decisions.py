"""Approving, refusing, withdrawing, signing off: who may, when, and what is told."""

import pytest
from django.core import mail

from compliance.evidence import leaf as leaves
from compliance.ledger import actors
from compliance.ledger.actors import Role, subject_of
from compliance.ledger.models import LedgerEntry, PendingEntry
from compliance.registry.models import RegisteredModel, VersionState
from compliance.requests import letters, queries
from compliance.requests.actions.approve import approve
from compliance.requests.actions.refuse import refuse
from compliance.requests.actions.retry import retry
from compliance.requests.actions.sign_off import sign_off
from compliance.requests.actions.withdraw import withdraw
from compliance.requests.errors import ForbiddenActorError, InvalidInputError, StateError
from compliance.requests.models import DeletionRequest, Letter
from compliance.requests.states import RequestState, TargetState
from tests.compliance import cast

pytestmark = pytest.mark.django_db


def dpo() -> actors.Actor:
    return actors.staff(cast.dana(), Role.DPO)


def operator() -> actors.Actor:
    return actors.staff(cast.bob(), Role.OPERATOR)


def test_the_one_who_decided_cannot_sign_off_and_nothing_goes_into_service() -> None:
    model = cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.SIGNOFF).request
    with pytest.raises(ForbiddenActorError, match="second person"):
        sign_off(request.pk, actor=dpo())
    request.refresh_from_db()
    assert request.state == RequestState.SIGNOFF
    assert RegisteredModel.objects.get().live == model.live


@pytest.mark.parametrize("state", [state for state in RequestState if state != RequestState.SIGNOFF])
def test_nothing_is_signed_off_before_its_evidence_is_complete(state: RequestState) -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(state).request
    with pytest.raises(StateError):
        sign_off(request.pk, actor=operator())


@pytest.mark.parametrize("reason", ["", "because", "art17_1_b", "ART17_3_B"])
def test_a_refusal_needs_a_reason_that_the_law_gives(reason: str) -> None:
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    with pytest.raises(InvalidInputError, match="reason"):
        refuse(request.pk, actor=dpo(), reason=reason)
    assert not Letter.objects.exists()


def test_an_operator_neither_approves_nor_refuses() -> None:
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    with pytest.raises(ForbiddenActorError):
        approve(request.pk, actor=operator(), ground="art17_1_b")
    with pytest.raises(ForbiddenActorError):
        refuse(request.pk, actor=operator(), reason="art17_3_e")


def test_after_the_decision_the_person_cannot_withdraw() -> None:
    request = cast.brought_to(RequestState.APPROVED).request
    with pytest.raises(StateError):
        withdraw(request.pk, actor=subject_of(request.pk))


@pytest.mark.parametrize(
    "state", [RequestState.RECEIVED, RequestState.IDENTITY_PENDING, RequestState.UNDER_REVIEW], ids=str
)
def test_before_it_the_person_can(state: RequestState) -> None:
    request = cast.brought_to(state).request
    assert withdraw(request.pk, actor=subject_of(request.pk)).state == RequestState.WITHDRAWN


def test_the_refusal_letter_names_reason_authority_and_court() -> None:
    """Art. 12(4) GDPR: reasons, the right to complain, the right to a judicial remedy."""
    cast.brought_to(RequestState.REFUSED)
    letters.send(Letter.objects.get().pk)
    body = " ".join(str(mail.outbox[-1].body).split())
    for needed in ("17(3)(e)", "supervisory authority", "Art. 77", "judicial remedy", "Art. 79"):
        assert needed in body
    assert "{" not in body
    assert Letter.objects.get().sent_at is not None


def test_a_letter_goes_out_once() -> None:
    cast.brought_to(RequestState.WITHDRAWN)
    letter = Letter.objects.get()
    letters.send(letter.pk)
    letters.send(letter.pk)
    assert len(mail.outbox) == 1


def test_the_completion_letter_claims_what_the_evidence_does() -> None:
    cast.model_of("spam", cast.ALICE)
    cast.model_of("other", cast.CHARLIE)
    cast.brought_to(RequestState.COMPLETED)
    letters.send(Letter.objects.get().pk)
    body = " ".join(str(mail.outbox[-1].body).split())
    assert "Model “spam”: 2 of your records" in body
    assert "exactly what it would have learned without them" in body
    assert "1 other model holds none" in body


def test_completion_puts_the_new_version_into_service_and_dates_the_old_one() -> None:
    model = cast.model_of("spam", cast.ALICE)
    before = model.live
    request = cast.brought_to(RequestState.COMPLETED).request
    model.refresh_from_db()
    assert before is not None
    before.refresh_from_db()
    assert model.live is not None
    assert model.live == model.head != before
    assert (model.live.status, before.status) == (VersionState.LIVE, VersionState.SUPERSEDED)
    assert before.destroy_after is not None
    assert request.targets.get().state == TargetState.DEPLOYED
    assert model.live.n_records == before.n_records - 2
    assert not model.lineage.filter(removed_in=None, subject_pseudonym=request.vault.pseudonym).exists()


def test_a_person_whom_no_model_saw_is_completed_without_a_job() -> None:
    cast.model_of("spam", cast.CHARLIE)
    request = cast.brought_to(RequestState.SIGNOFF).request
    assert request.targets.get().state == TargetState.NOT_PRESENT
    cast.second_signature(request.pk)
    request.refresh_from_db()
    assert request.state == RequestState.COMPLETED


def test_only_what_failed_is_tried_again() -> None:
    cast.model_of("spam", cast.ALICE)
    waiting = cast.brought_to(RequestState.SIGNOFF).request
    with pytest.raises(StateError, match="nothing to repeat"):
        retry(waiting.pk, actor=operator())
    cast.model_of("second", cast.CHARLIE)
    failed = cast.brought_to(RequestState.ATTENTION, cast.CHARLIE).request
    cast.try_again(failed.pk)
    failed.refresh_from_db()
    assert failed.state == RequestState.EXECUTING
    target = failed.targets.get(n_records__gt=0)
    assert target.job is not None
    assert (target.state, target.job.number) == (TargetState.QUEUED, 2)


def test_every_entry_of_a_request_points_to_the_one_before() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.COMPLETED).request
    cast.run_ledger()
    events = [entry for entry in queries.timeline(request.pk) if entry.kind == "event"]
    rows = {row.leaf_sha256: leaves.parse(bytes(row.leaf)) for row in _entries(request)}
    previous = None
    for entry in events:
        assert rows[entry.leaf_sha256].previous == previous
        previous = entry.leaf_sha256
    assert previous == request.chain_head


def _entries(request: DeletionRequest) -> list[LedgerEntry]:
    assert not PendingEntry.objects.filter(request_id=request.pk).exists()
    return list(LedgerEntry.objects.filter(request_id=request.pk, kind="event"))
