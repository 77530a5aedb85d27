"""Who is owed a notice, what it says, and what becomes of it against a real server with TLS."""

import json
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import transaction

from compliance.evidence import commitment, dsse
from compliance.evidence.errors import EvidenceError
from compliance.evidence.statement import parse_statement
from compliance.ledger import keys
from compliance.ledger.actors import SYSTEM
from compliance.outbound import pace, steps
from compliance.outbound.models import Delivery, DeliveryStatus, Failure
from compliance.recipients import notices, pending, statements
from compliance.recipients.actions.register_recipient import register_recipient
from compliance.recipients.actions.send_again import send_again
from compliance.recipients.details import Details
from compliance.recipients.models import Notice, Recipient
from compliance.requests import identities
from compliance.requests.errors import ForbiddenActorError, StateError
from compliance.requests.models import DeletionRequest, Regulation
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.outbound.receiver import Receiver, last_result
from tests.compliance.recipients import scene

pytestmark = pytest.mark.django_db


def test_only_active_recipients_of_models_that_forgot_are_owed_one_each() -> None:
    cast.model_of("other", cast.CHARLIE)
    cast.model_of("ham", cast.ALICE)
    request = scene.waiting()
    for name, models in {"both": ("spam", "ham"), "one": ("spam", "other"), "none": ("other",)}.items():
        register_recipient(name, Details(models=models), actor=SYSTEM)
    with transaction.atomic():
        assert notices.owe(request) == [], "owed already"
    found = {row.recipient.name: sorted(row.models.values_list("name", flat=True)) for row in Notice.objects.all()}
    assert found == {"both": ["ham", "spam"], "one": ["spam"]}
    assert not Delivery.objects.filter(kind=notices.KIND).exists(), "none of them has an address"


def test_a_request_that_reaches_sign_off_owes_in_its_own_transaction(server: Receiver) -> None:
    cast.model_of("spam", cast.ALICE)
    register_recipient("Fabrikam", Details(models=("spam",), url=scene.url_of(server)), actor=SYSTEM)
    register_recipient("Retired", Details(models=("spam",)), actor=SYSTEM)
    Recipient.objects.filter(name="Retired").update(is_active=False)
    request = cast.brought_to(RequestState.SIGNOFF).request
    with transaction.atomic():
        notices.owe(request)
    (notice,) = Notice.objects.filter(request=request)
    assert scene.sent(notice).status == "sent"


def test_nobody_is_told_of_a_request_that_found_nothing() -> None:
    cast.model_of("spam", cast.CHARLIE)
    register_recipient("Fabrikam", Details(models=("spam",)), actor=SYSTEM)
    request = cast.brought_to(RequestState.SIGNOFF).request
    with transaction.atomic():
        assert notices.owe(request) == []


def test_the_notice_says_whom_to_erase_and_is_signed(server: Receiver) -> None:
    request = scene.waiting()
    notice = scene.sent(scene.owed(request, url=scene.url_of(server)))
    found = scene.read(server.received[0], notice).notice
    assert found["identifiers"] == [{"type": "email", "form": "plain", "value": cast.ALICE}]
    assert (found["request"], found["article"], found["asked"]) == (str(request.pk), "art19", "erase")
    assert found["models"] == [{"name": "spam", "assurance": "exact"}]
    assert found["acknowledgement"]["url"].endswith(f"/api/v1/recipients/acknowledgements/{notice.pk}")
    assert server.received[0].headers["content-type"] == "application/vnd.dsse.envelope.v1+json"


def test_the_form_and_the_article_are_those_of_the_recipient(server: Receiver) -> None:
    notice = scene.owed(scene.waiting(), url=scene.url_of(server), identifier_form="sha256", is_public=True)
    found = scene.read_one(server, notice).notice
    digest = sha256(cast.ALICE.encode()).hexdigest()
    assert found["identifiers"] == [{"type": "email", "form": "sha256", "value": digest}]
    assert (found["article"], found["asked"]) == ("art17_2", "erase_links_and_copies")
    assert cast.MARK.encode() not in scene.read(server.received[0], notice).payload


def test_under_the_ccpa_it_is_the_ccpa_that_asks(server: Receiver) -> None:
    request = scene.waiting()
    DeletionRequest.objects.update(regulation=Regulation.CCPA)
    notice = scene.owed(request, url=scene.url_of(server))
    found = scene.read_one(server, notice).notice
    assert (found["regulation"], found["article"]) == ("ccpa", "ccpa_7022")


def test_the_example_refuses_what_is_not_ours(server: Receiver) -> None:
    notice = scene.sent(scene.owed(scene.waiting(), url=scene.url_of(server)))
    body = server.received[0].body
    key, verified = keys.evidence_signer().public_key_pem, scene.EXAMPLE["verified"]
    envelope = json.loads(body)
    changed = json.dumps({**envelope, "payloadType": "text/plain"}).encode()
    other = scene.public_pem(ec.generate_private_key(ec.SECP256R1())).encode()
    for forged, with_key in {"another type": (changed, key), "another key": (body, other)}.values():
        with pytest.raises(InvalidSignature):
            verified(forged, with_key, str(notice.recipient_id))
    with pytest.raises(ValueError, match="not for us"):
        verified(body, key, str(notice.pk))


def test_a_notice_does_not_pass_for_evidence(server: Receiver) -> None:
    scene.sent(scene.owed(scene.waiting(), url=scene.url_of(server)))
    payload = dsse.verify_envelope(server.received[0].body, [keys.evidence_signer().public_key])
    with pytest.raises(EvidenceError):
        parse_statement(payload)


def test_the_ledger_commits_to_what_was_sent_under_the_requests_key(server: Receiver) -> None:
    request = scene.waiting()
    notice = scene.sent(scene.owed(request, url=scene.url_of(server)))
    payload = scene.read(server.received[0], notice).payload
    expected = commitment.commit(identities.commitment_key(request.vault), "notice", json.loads(payload))
    assert scene.facts_of(request, "request.recipient_notified") == [
        {"recipient": str(notice.recipient_id), "notice_sha256": expected}
    ]
    assert sha256(payload).hexdigest() == notice.notice_sha256 != expected


def test_each_try_says_the_same_and_one_entry_is_made(server: Receiver) -> None:
    server.statuses = [500, 503, 200]
    request = scene.waiting()
    notice = scene.owed(request, url=scene.url_of(server))
    for _ in range(3):
        scene.sent(notice)
    payloads = {scene.read(received, notice).payload for received in server.received}
    assert (len(server.received), len(payloads)) == (3, 1)
    assert len(scene.facts_of(request, "request.recipient_notified")) == 1
    steps.reopen(scene.delivery_of(notice).pk)
    assert scene.sent(notice).status == "sent"
    assert len(server.received) == 3, "a notice that was taken is not sent again"


def test_an_expired_text_is_made_anew(server: Receiver) -> None:
    server.statuses = [500, 200]
    notice = scene.sent(scene.owed(scene.waiting(), url=scene.url_of(server)))
    assert notice.issued_at is not None
    Notice.objects.update(issued_at=notice.issued_at - statements.VALID_FOR)
    scene.sent(notice)
    tokens = {scene.read(received, notice).notice["acknowledgement"]["token"] for received in server.received}
    assert len(tokens) == 2


def test_after_the_last_try_staff_must_decide_and_can_send_again(server: Receiver) -> None:
    server.statuses = [500]
    request = scene.waiting()
    notice = scene.owed(request, url=scene.url_of(server))
    with pytest.raises(StateError, match="on its way"):
        send_again(notice.pk, actor=scene.bob())
    for _ in range(pace.MAX_TRIES):
        scene.sent(notice)
    assert (notice.status, scene.delivery_of(notice).status) == ("owed", DeliveryStatus.GAVE_UP)
    assert notice.gave_up_at is not None
    assert list(pending.undecided()) == [notice]
    with pytest.raises(ForbiddenActorError):
        send_again(notice.pk, actor=SYSTEM)
    server.statuses = [204]
    send_again(notice.pk, actor=scene.bob())
    assert list(pending.undecided()) == []
    assert scene.sent(notice).status == "sent"
    with pytest.raises(StateError):
        send_again(notice.pk, actor=scene.bob())


def test_a_shredded_request_tells_nobody_any_more(server: Receiver) -> None:
    notice = scene.owed_late(url=scene.url_of(server))
    scene.shredded(notice.request)
    scene.sent(notice)
    assert server.received == []
    assert (notice.status, notice.gave_up_at) == ("owed", None)
    assert (scene.delivery_of(notice).status, last_result(scene.delivery_of(notice))) == ("gave_up", Failure.NOT_WANTED)


def test_an_address_that_lost_its_tls_gets_nothing(server: Receiver) -> None:
    notice = scene.owed(scene.waiting(), url=scene.url_of(server))
    plain = scene.url_of(server).replace("https", "http")
    Recipient.objects.update(url=plain)
    Delivery.objects.update(url=plain)
    scene.sent(notice)
    assert last_result(scene.delivery_of(notice)) == Failure.NOT_RENDERED
    assert server.received == []
