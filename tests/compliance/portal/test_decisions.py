"""What staff do with a request, and what is refused: the rules are the actions', the portal must show and keep them."""

import re

import pytest

from compliance.evidence.verify import verify_bundle
from compliance.ledger import actors
from compliance.ledger.actors import SYSTEM, Role
from compliance.registry.actions.publish_cards import publish_cards
from compliance.requests.actions.except_model import except_model
from compliance.requests.actions.plan import plan
from compliance.requests.letter_parts import parts_of
from compliance.requests.models import DeletionRequest, Ground, Letter, RefusalReason, SubjectVault
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.portal.browsing import (
    act,
    address,
    approval,
    everything,
    messages,
    page_of,
    seen,
    signed_in,
    state_of,
)

pytestmark = pytest.mark.django_db

READY = {
    "confirm_identity": {"means": "in_person"},
    "approve": {"ground": "art17_1_b", "scope": "0" * 64},
    "refuse": {"reason": "art12_6"},
    "withdraw": {"confirmed": "on"},
    "retry": {},
    "sign_off": {"confirmed": "on"},
    "ask_question": {"question": "Under which name?"},
    "settle_question": {"answer": "They called: under Smith."},
    "extend": {"reason": "complexity"},
}
#: The acts that a state lets staff do at all.
OPEN = {
    RequestState.RECEIVED: {"confirm_identity", "withdraw", "extend"},
    RequestState.IDENTITY_PENDING: {"confirm_identity", "withdraw", "extend"},
    RequestState.UNDER_REVIEW: {"approve", "refuse", "withdraw", "ask_question", "extend"},
    RequestState.INFO_REQUESTED: {"withdraw", "settle_question", "extend"},
    RequestState.APPROVED: {"extend"},
    RequestState.EXECUTING: {"extend"},
    RequestState.VERIFYING: {"extend"},
    RequestState.ATTENTION: {"approve", "refuse", "retry", "extend"},
    RequestState.SIGNOFF: {"sign_off", "extend"},
}
WRONG = [
    pytest.param(state, name, id=f"{name} {state}")
    for state in RequestState
    for name in READY
    if name not in OPEN.get(state, set())
]


@pytest.mark.parametrize(("state", "name"), WRONG)
def test_an_act_in_the_wrong_state_is_explained_and_changes_nothing(state: RequestState, name: str) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(state).request.pk
    client = signed_in(cast.staff("dora", Role.DPO, Role.OPERATOR))
    assert name.replace("_", "-") not in seen(client, address("request", request_id)).actions()
    before = state_of(request_id)
    page = act(client, name, request_id, READY[name])
    (message,) = page.all("li", role="alert")
    assert "error" in message.attributes["class"]
    assert state_of(request_id) == before


@pytest.mark.parametrize(
    ("name", "data", "field", "error"),
    [
        pytest.param("approve", {}, "ground", "Choose the ground", id="no ground"),
        pytest.param("approve", {"ground": "art17_1_z"}, "ground", "one of the grounds", id="unknown ground"),
        pytest.param("approve", {"ground": "art12_6"}, "ground", "one of the grounds", id="a reason as ground"),
        pytest.param("refuse", {"reason": ""}, "reason", "Choose the reason", id="no reason"),
        pytest.param("refuse", {"reason": "<b>"}, "reason", "one of the reasons", id="unknown reason"),
        pytest.param(
            "refuse", {"reason": "art12_6", "words": "a\0b"}, "words", "Null characters", id="facts with a null"
        ),
        pytest.param("refuse", {"reason": "art12_6", "words": "a" * 4001}, "words", "at most 4000", id="endless facts"),
        pytest.param("unveil", {}, "reason", "Choose the reason", id="unveiling without a reason"),
        pytest.param(
            "unveil", {"reason": "art12_6"}, "reason", "one of the reasons", id="unveiling for another reason"
        ),
        pytest.param("withdraw", {}, "confirmed", "Tick the box", id="withdrawal not confirmed"),
        pytest.param("extend", {}, "reason", "Choose the reason", id="extension without a reason"),
        pytest.param(
            "extend", {"reason": "art12_6"}, "reason", "one of the reasons", id="extension for another reason"
        ),
        pytest.param("ask_question", {"question": "  "}, "question", "Write the question", id="empty question"),
        pytest.param("ask_question", {"question": "a\0b"}, "question", "Null characters", id="null character"),
        pytest.param("ask_question", {"question": "a" * 4001}, "question", "at most 4000", id="endless question"),
    ],
)
def test_a_form_with_bad_input_comes_back_with_its_error(
    name: str, data: dict[str, str], field: str, error: str
) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    client = signed_in(cast.staff("dora", Role.DPO, Role.OPERATOR))
    before = everything()
    response = client.post(address(name, request_id), data)
    assert everything() == before
    page = page_of(response)
    assert response.status_code == 400
    assert error in page.text
    assert page.problems == []
    (broken,) = [element for element in page.elements if element.attributes.get("aria-invalid") == "true"]
    assert broken.attributes["name"] == field
    assert "autofocus" in broken.attributes


def test_a_signature_without_a_tick_comes_back_with_its_error() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.SIGNOFF).request.pk
    client = signed_in(cast.bob())
    before = everything()
    response = client.post(address("sign_off", request_id))
    assert everything() == before
    assert (response.status_code, page_of(response).problems) == (400, [])
    assert "once you have read the findings" in page_of(response).text


def test_a_withdrawal_that_was_not_confirmed_opens_its_box_again() -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    page = page_of(signed_in(cast.bob()).post(address("withdraw", request_id)))
    assert page.all("details", open="")


def test_nobody_approves_a_scope_they_did_not_see() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    client = signed_in(cast.dana())
    form = approval(client, request_id)
    cast.model_of("ranking", cast.ALICE)
    before = state_of(request_id)
    assert "changed since the page was shown" in act(client, "approve", request_id, form).text
    assert state_of(request_id) == before
    assert "Approved" in act(client, "approve", request_id, approval(client, request_id)).text


def test_a_scope_that_cannot_be_opened_is_said_and_cannot_be_approved() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    SubjectVault.objects.filter(request=request_id).update(wrapped_key=b"\0" * 60)
    client = signed_in(cast.dana())
    page = seen(client, address("request", request_id))
    assert "does not open" in page.text
    assert "refuse" in page.actions() and "approve" not in page.actions()
    before = state_of(request_id)
    assert "does not open" in act(client, "approve", request_id, READY["approve"]).text
    assert state_of(request_id) == before


def test_whoever_decided_cannot_sign_off() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.SIGNOFF).request.pk
    client = signed_in(cast.dana())
    page = seen(client, address("request", request_id))
    assert "You approved this request, or excepted a model from it, so you cannot sign it off" in page.text
    assert "sign-off" not in page.actions()
    before = state_of(request_id)
    assert "a second person must sign it off" in act(client, "sign_off", request_id, READY["sign_off"]).text
    assert state_of(request_id) == before


def test_whoever_excepted_a_model_cannot_sign_off() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    kept = cast.model_of("ranking", cast.ALICE)
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    dora = cast.staff("dora", Role.DPO)
    given = {"reason": RefusalReason.LEGAL_CLAIMS.value, "words": "A suit is pending."}
    except_model(request_id, actor=actors.staff(dora, Role.DPO), model_id=kept.pk, **given)
    for step in (cast.decide, cast.make_plan, cast.work):
        step(request_id)
    page = seen(signed_in(dora), address("request", request_id))
    assert "or excepted a model from it, so you cannot sign it off" in page.text
    assert "sign-off" not in page.actions()
    before = state_of(request_id)
    assert "a second person must sign it off" in act(signed_in(dora), "sign_off", request_id, READY["sign_off"]).text
    assert state_of(request_id) == before
    assert "sign-off" in seen(signed_in(cast.bob()), address("request", request_id)).actions()


def test_a_signature_that_a_late_model_stops_is_explained_and_the_new_scope_is_there_to_approve() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.SIGNOFF).request.pk
    cast.model_of("ranking", cast.ALICE)
    page = act(signed_in(cast.bob()), "sign_off", request_id, READY["sign_off"])
    (message,) = page.all("li", role="alert")
    assert "error" in message.attributes["class"]
    assert "Not signed off" in page.text and "Read the new scope and approve it." in page.text
    dana = signed_in(cast.dana())
    assert "Approved." in act(dana, "approve", request_id, approval(dana, request_id)).text
    cast.make_plan(request_id)
    cast.work(request_id)
    assert "Signed off." in act(signed_in(cast.bob()), "sign_off", request_id, READY["sign_off"]).text


def test_two_people_take_a_request_from_review_to_completion() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    dana, bob = signed_in(cast.dana()), signed_in(cast.bob())
    assert "Approved." in act(dana, "approve", request_id, approval(dana, request_id, "art17_1_d")).text
    cast.make_plan(request_id)
    cast.work(request_id)
    assert "Signed off." in act(bob, "sign_off", request_id, READY["sign_off"]).text
    request = DeletionRequest.objects.get(pk=request_id)
    assert (request.state, request.accepted_ground) == (RequestState.COMPLETED, Ground.UNLAWFUL)
    assert request.decided_by == actors.staff(cast.dana(), Role.DPO).id
    assert request.signed_off_by == actors.staff(cast.bob(), Role.OPERATOR).id


def test_a_refusal_keeps_its_reason() -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    page = act(signed_in(cast.dana()), "refuse", request_id, {"reason": "art17_3_e"})
    assert "Art. 17(3)(e): legal claims" in page.text
    request = DeletionRequest.objects.get(pk=request_id)
    assert (request.state, request.refusal_reason) == (RequestState.REFUSED, RefusalReason.LEGAL_CLAIMS)


def test_a_refusal_keeps_the_facts_behind_it_for_the_letter() -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    dana = signed_in(cast.dana())
    page = act(dana, "refuse", request_id, {"reason": "art17_3_e", "words": f"A suit of {cast.ALICE}.\r\nIn May."})
    assert "Facts behind the refusal" in page.text and f"A suit of {cast.ALICE}. In May." in page.text
    letter = parts_of(Letter.objects.get(request=request_id, kind=Letter.Kind.REFUSED))
    assert f"A suit of {cast.ALICE}.\nIn May." in repr(letter).replace("\\n", "\n")
    assert cast.MARK not in seen(signed_in(cast.audrey()), address("request", request_id)).html


def test_an_operator_withdraws_for_the_person() -> None:
    request_id = cast.brought_to(RequestState.IDENTITY_PENDING).request.pk
    page = act(signed_in(cast.bob()), "withdraw", request_id, READY["withdraw"])
    assert "The request is closed." in page.text
    assert state_of(request_id)[0] == RequestState.WITHDRAWN


def test_failed_work_is_tried_again_and_not_approved_anew() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.ATTENTION).request.pk
    for user in (cast.dana(), cast.bob()):
        actions = seen(signed_in(user), address("request", request_id)).actions()
        assert "retry" in actions and "approve" not in actions
    assert "A new job was made" in act(signed_in(cast.bob()), "retry", request_id).text
    assert state_of(request_id)[0] == RequestState.EXECUTING


def test_a_changed_scope_is_approved_anew_and_not_tried_again() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.APPROVED).request.pk
    cast.model_of("ranking", cast.ALICE)
    cast.make_plan(request_id)
    assert seen(signed_in(cast.bob()), address("request", request_id)).actions() == {"logout", "hold"}
    dana = signed_in(cast.dana())
    page = seen(dana, address("request", request_id))
    assert page.actions() == {"logout", "approve", "refuse", "extend", "except", "hold", "unveil"}
    assert "no longer hold what was approved" in page.text
    act(dana, "approve", request_id, approval(dana, request_id))
    assert plan(request_id, actor=SYSTEM).state == RequestState.EXECUTING


def test_work_that_failed_is_not_tried_again_under_a_scope_that_changed() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.ATTENTION).request.pk
    cast.model_of("ranking", cast.ALICE)
    for user in (cast.dana(), cast.bob()):
        assert "retry" not in seen(signed_in(user), address("request", request_id)).actions()
    assert "approve" in seen(signed_in(cast.dana()), address("request", request_id)).actions()


def test_a_request_that_needs_attention_is_shown_when_its_vault_does_not_open() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.ATTENTION).request.pk
    SubjectVault.objects.filter(request=request_id).update(wrapped_key=b"\0" * 60)
    assert seen(signed_in(cast.bob()), address("request", request_id)).actions() == {"logout"}
    assert "does not open" in seen(signed_in(cast.dana()), address("request", request_id)).text


def test_a_method_that_no_worker_has_is_explained() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.APPROVED).request.pk
    publish_cards([{"kind": "method", "name": "other", "version": "1", "source_sha256": "ab" * 32, "needs": []}])
    plan(request_id, actor=SYSTEM)
    page = seen(signed_in(cast.dana()), address("request", request_id))
    assert "No worker has the method that the policy names" in page.text


def test_the_bundle_comes_down_and_verifies_offline() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.COMPLETED).request.pk
    cast.run_ledger()
    for user in (cast.audrey(), cast.dana()):
        response = signed_in(user).get(address("bundle", request_id))
        assert response["Content-Type"] == "application/zip"
        assert response["Content-Disposition"] == f'attachment; filename="expunge-{request_id}.zip"'
        report = verify_bundle(response.content)
        assert (report.request, report.state) == (str(request_id), "completed")


def test_a_bundle_that_is_not_ready_is_a_sentence_on_the_page() -> None:
    request_id = cast.ask().request.pk
    client = signed_in(cast.audrey())
    response = client.get(address("bundle", request_id))
    assert (response.status_code, response["Location"]) == (302, address("request", request_id))
    assert re.search("not under a signed checkpoint", messages(response)[0])
