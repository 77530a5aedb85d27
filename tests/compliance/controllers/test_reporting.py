"""How each state of a request is told: the word, and what our extension adds to it."""

from datetime import timedelta

import pytest
from django.db.models import F

from compliance.controllers import reporting
from compliance.controllers.models import ControllerRequest
from compliance.opendsr.statuses import STATUS_OF_STATE
from compliance.requests.models import DeletionRequest
from compliance.requests.queries import evidence_summary
from compliance.requests.states import TERMINAL, RequestState
from tests.compliance import cast
from tests.compliance.controllers.caller import Caller, members_of
from tests.compliance.controllers.installation import registered, row_of
from tests.compliance.opendsr.authority import DOMAIN

pytestmark = pytest.mark.django_db
# A request of a controller is vouched for when it comes, and waits for no proof.
REACHED = [state for state in RequestState if state not in (RequestState.RECEIVED, RequestState.IDENTITY_PENDING)]


@pytest.fixture
def caller() -> Caller:
    return Caller(registered().token)


def brought_to(caller: Caller, state: RequestState) -> str:
    """The id of a request of this controller in this state."""
    cast.model_of("spam", cast.ALICE)
    request_id = caller.created()
    row = row_of(request_id)
    if state is RequestState.CLOSED_UNVERIFIED:
        # As where more is needed than a controller's word.
        DeletionRequest.objects.filter(pk=row.request_id).update(state=RequestState.RECEIVED)
        cast.mail_code(row.request_id)
        cast.let_lapse(row.request_id)
        return request_id
    for step in cast.STEPS[state]:
        if step is not cast.prove:
            step(row.request_id)
    assert row_of(request_id).request.state == state
    return request_id


@pytest.mark.parametrize("state", REACHED)
def test_each_state_is_told_in_its_word_with_what_the_word_leaves_out(state: RequestState, caller: Caller) -> None:
    request_id = brought_to(caller, state)
    told = members_of(caller.ask(request_id))
    own = told["extensions"][DOMAIN]
    assert told["request_status"] == STATUS_OF_STATE[state]
    assert own["result"] == (state.value if state in TERMINAL else None)
    assert own["refusal_code"] == {"refused": "art17_3_e", "closed_unverified": "identity_unproven"}.get(state)
    assert own["exceptions"] == (["art17_3_e"] if state is RequestState.PARTLY_COMPLETED else [])
    assert own["due_time"] == told["expected_completion_time"]
    is_fulfilled = state in (RequestState.COMPLETED, RequestState.PARTLY_COMPLETED)
    assert (own["evidence_sha256"] is not None) == is_fulfilled
    assert (told["results_url"] is not None) == (told["results_count"] is not None) == is_fulfilled


def test_evidence_is_not_there_before_the_end_and_gone_after_its_time(caller: Caller) -> None:
    request_id = brought_to(caller, RequestState.EXECUTING)
    path = f"/v2/requests/{request_id}/evidence"
    assert caller.get(path).status_code == 404
    row = row_of(request_id)
    cast.work(row.request_id)
    cast.second_signature(row.request_id)
    assert caller.get(path).status_code == 200
    DeletionRequest.objects.filter(pk=row.request_id).update(closed_at=F("closed_at") - timedelta(days=92))
    assert caller.get(path).status_code == 410
    told = members_of(caller.ask(request_id))
    assert (told["results_url"], told["results_count"]) == (None, None)


def test_the_evidence_is_what_its_digest_is_of(caller: Caller) -> None:
    request_id = brought_to(caller, RequestState.COMPLETED)
    told = members_of(caller.ask(request_id))
    assert told["results_url"] == f"https://{DOMAIN}/v2/requests/{request_id}/evidence"
    shown = members_of(caller.get(told["results_url"].removeprefix(f"https://{DOMAIN}")))
    row = ControllerRequest.objects.select_related("request").get()
    assert shown["evidence"] == evidence_summary(row.request)
    leaves = tuple(each["leaf_sha256"] for each in shown["evidence"])
    assert len(leaves) == told["results_count"] == 1
    assert (
        shown["evidence_sha256"] == reporting.evidence_sha256(leaves) == told["extensions"][DOMAIN]["evidence_sha256"]
    )
    assert reporting.evidence_sha256(("b" * 64, "a" * 64)) == reporting.evidence_sha256(("a" * 64, "b" * 64))
