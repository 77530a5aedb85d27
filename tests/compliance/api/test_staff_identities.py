"""Staff take requests in, confirm who asks, and a DPO reads who it is."""

import pytest
from pytest_django import Settings

from compliance.ledger.actors import SYSTEM
from compliance.requests import queries
from compliance.requests.actions.shred import shred
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.api.caller import body_of, refused, staff, subject

pytestmark = pytest.mark.django_db
ASKED = {"identifier": {"kind": "email", "value": cast.ALICE}, "locale": "de"}
NOBODY = "00000000-0000-4000-8000-00000000beef"


def test_a_request_is_taken_in_on_behalf_and_its_token_can_be_handed_over() -> None:
    taken = staff(cast.bob()).post("staff-requests", body=ASKED)
    assert taken.status_code == 201
    receipt = body_of(taken)
    request = DeletionRequest.objects.get()
    assert (request.channel, request.locale, str(request.pk)) == ("portal", "de", receipt["id"])
    assert subject(receipt["status_token"]).get("request", request.pk).status_code == 200


def test_what_the_person_sees_says_what_is_still_needed(settings: Settings) -> None:
    settings.IDENTITY_LEVEL = 3
    alices = cast.brought_to(RequestState.IDENTITY_PENDING)
    alice, bob = subject(alices.token), staff(cast.bob())
    before = body_of(alice.get("request", alices.request.pk))
    assert (before["identity_level"], before["still_needed"].partition(".")[0]) == (0, "Level 3 is needed")
    partly = bob.post("staff-identity", alices.request.pk, body={"means": "called_back"})
    assert body_of(partly)["state"] == "identity_pending"
    assert "level 2" in body_of(alice.get("request", alices.request.pk))["still_needed"]
    assert (
        body_of(bob.post("staff-identity", alices.request.pk, body={"means": "in_person"}))["state"] == "under_review"
    )
    after = body_of(alice.get("request", alices.request.pk))
    assert (after["identity_level"], after["still_needed"]) == (3, "")


def test_an_identity_is_confirmed_once_by_known_means() -> None:
    alices = cast.brought_to(RequestState.UNDER_REVIEW)
    bob = staff(cast.bob())
    refused(bob.post("staff-identity", alices.request.pk, body={"means": "video_call"}), 409, "wrong_state")
    refused(bob.post("staff-identity", alices.request.pk, body={"means": "a_hunch"}), 400, "invalid_input")
    refused(bob.post("staff-identity", NOBODY, body={"means": "video_call"}), 404, "not_found")


def test_an_identity_is_unveiled_to_a_dpo_and_each_time_is_an_entry() -> None:
    alices = cast.ask()
    dana = staff(cast.dana())
    response = dana.post("staff-unveil", alices.request.pk, body={"reason": "complaint"})
    assert body_of(response) == {"identifier": cast.ALICE}
    assert "no-store" in response["Cache-Control"]
    entry = queries.timeline(alices.request.pk)[-1]
    assert (entry.event_type, dict(entry.facts)) == ("request.unveiled", {"reason": "complaint"})


def test_what_was_shredded_is_unveiled_to_nobody() -> None:
    alices = cast.brought_to(RequestState.WITHDRAWN)
    DeletionRequest.objects.get().letters.all().delete()
    shred(alices.request.pk, actor=SYSTEM)
    dana = staff(cast.dana())
    refused(dana.post("staff-unveil", alices.request.pk, body={"reason": "audit"}), 409, "wrong_state")
    refused(dana.post("staff-unveil", NOBODY, body={"reason": "audit"}), 404, "not_found")
    refused(dana.post("staff-unveil", alices.request.pk, body={"reason": "curiosity"}), 400, "invalid_input")
    refused(dana.get("staff-scope", alices.request.pk), 409, "shredded")
