"""Who a request is of is read by a DPO alone, for a reason, and the ledger says so."""

import uuid

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from compliance.evidence.leaf import WORDS
from compliance.ledger import actors
from compliance.ledger.actors import SYSTEM, Actor, Role, subject_of
from compliance.ledger.models import PendingEntry
from compliance.requests import queries
from compliance.requests.actions.shred import shred
from compliance.requests.actions.unveil import UnveilingReason, unveil
from compliance.requests.errors import ForbiddenActorError, InvalidInputError, NotFoundError, StateError
from compliance.requests.models import DeletionRequest, Letter, SubjectVault
from compliance.requests.states import RequestState
from compliance.vault.errors import VaultError
from tests.compliance import cast

pytestmark = pytest.mark.django_db
OTHERS = {
    "an operator": lambda: actors.staff(cast.bob(), Role.OPERATOR),
    "an auditor": lambda: actors.staff(cast.audrey(), Role.AUDITOR),
    "the system": lambda: SYSTEM,
    "a worker": lambda: actors.worker(cast.WORKER_ID),
    "another controller": lambda: actors.controller(uuid.uuid4()),
    "a data subject": lambda: subject_of(uuid.uuid4()),
}


def dpo() -> Actor:
    user: User = cast.dana()
    return actors.staff(user, Role.DPO)


def n_entries(request: DeletionRequest) -> int:
    return PendingEntry.objects.filter(request_id=request.pk, event_type="request.unveiled").count()


@pytest.mark.parametrize("actor", [pytest.param(actor, id=name) for name, actor in OTHERS.items()])
def test_nobody_but_a_dpo_unveils(actor: object) -> None:
    request = cast.ask().request
    with pytest.raises(ForbiddenActorError) as refused:
        unveil(request.pk, actor=actor(), reason="audit")  # type: ignore[operator]  # made when accounts can be
    assert cast.MARK not in str(refused.value)
    assert n_entries(request) == 0


@pytest.mark.parametrize("reason", ["", "curiosity", "AUDIT", cast.ALICE])
def test_a_reason_that_is_not_on_the_list_is_refused_and_not_repeated(reason: str) -> None:
    request = cast.ask().request
    with pytest.raises(InvalidInputError, match="correspondence") as refused:
        unveil(request.pk, actor=dpo(), reason=reason)
    assert not reason or f"{reason};" not in str(refused.value)
    assert n_entries(request) == 0


def test_a_request_that_is_not_there_is_not_unveiled() -> None:
    with pytest.raises(NotFoundError):
        unveil(uuid.uuid4(), actor=dpo(), reason="audit")


def test_a_shredded_request_cannot_be_unveiled_and_nothing_is_recorded() -> None:
    request = cast.brought_to(RequestState.REFUSED).request
    Letter.objects.update(sent_at=request.changed_at)
    shred(request.pk, actor=SYSTEM)
    with pytest.raises(StateError, match="shredded"):
        unveil(request.pk, actor=dpo(), reason="complaint")
    assert n_entries(request) == 0


def test_what_does_not_open_is_not_recorded_as_unveiled() -> None:
    request = cast.ask().request
    SubjectVault.objects.update(sealed_identifier=bytes(60))
    with pytest.raises(VaultError):
        unveil(request.pk, actor=dpo(), reason="incident")
    assert n_entries(request) == 0


def test_nothing_is_shown_whose_entry_could_still_be_taken_back(ledger_db: None) -> None:
    request = cast.ask().request
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        unveil(request.pk, actor=dpo(), reason="audit")


@pytest.mark.parametrize("reason", UnveilingReason.values)
def test_a_dpo_reads_the_identifier_and_the_chain_goes_on_to_the_entry(reason: str) -> None:
    request, actor = cast.ask().request, dpo()
    assert unveil(request.pk, actor=actor, reason=reason) == cast.ALICE
    last = queries.timeline(request.pk)[-1]
    assert (last.event_type, last.actor_role, last.facts) == ("request.unveiled", "dpo", {"reason": reason})
    assert last.actor_id == str(actor.id)
    request.refresh_from_db()
    assert request.chain_head == last.leaf_sha256
    assert cast.MARK not in repr(last)


def test_the_reasons_are_those_that_the_ledger_takes() -> None:
    assert set(UnveilingReason.values) == WORDS["unveiling reason"]
