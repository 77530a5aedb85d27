"""Signatures at the same moment: none is lost, none waits for ever, and what serves at the end is the newest."""

from functools import partial

import pytest

from compliance.ledger import actors
from compliance.ledger.actors import Role
from compliance.registry.models import ModelVersion, RegisteredModel, VersionState
from compliance.requests.actions.sign_off import sign_off
from compliance.requests.models import DeletionRequest, Letter
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.identity.test_proofs_at_once import outcomes_of
from tests.compliance.requests.test_sign_off import crossed, is_served

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ledger_db")]
MODELS = ("first", "second")


def sign_at_once(*requests: DeletionRequest) -> list[str]:
    operator = actors.staff(cast.bob(), Role.OPERATOR)
    return outcomes_of(*(partial(sign_off, request.pk, actor=operator) for request in requests))


def test_of_two_signatures_of_one_request_one_counts() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.SIGNOFF).request
    assert sorted(sign_at_once(request, request)) == ["done", "wrong_state"]
    assert Letter.objects.filter(request=request, kind=Letter.Kind.COMPLETED).count() == 1


def test_requests_that_need_each_others_versions_are_signed_at_the_same_moment() -> None:
    assert sign_at_once(*crossed()) == ["done", "done"]
    assert not any(is_served(name, cast.ALICE) for name in ("first", "second"))


def test_many_signatures_on_the_same_models_leave_the_newest_version_in_service() -> None:
    people = [f"person{number}@example.org" for number in range(4)]
    for name in MODELS:
        cast.model_of(name, *people)
    requests = [cast.brought_to(RequestState.SIGNOFF, person).request for person in people]
    assert sign_at_once(*requests) == ["done"] * len(people)
    for model in RegisteredModel.objects.select_related("live"):
        assert model.live == model.head
        assert [version.pk for version in ModelVersion.objects.filter(model=model, status=VersionState.LIVE)] == [
            model.live_id
        ]
