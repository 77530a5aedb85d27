"""Answers of recipients: forged ones, repeated ones, late ones, against notices that really arrived."""

import json
import uuid
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from compliance.evidence import canonical, dsse
from compliance.ledger.actors import SYSTEM
from compliance.ledger.models import LedgerEntry, PendingEntry
from compliance.outbound.models import DeliveryStatus
from compliance.recipients.acknowledgements import PAYLOAD_TYPE
from compliance.recipients.models import Notice
from tests.compliance import cast
from tests.compliance.api.caller import body_of, refused
from tests.compliance.outbound import hooks
from tests.compliance.outbound.receiver import Receiver
from tests.compliance.recipients import scene
from tests.compliance.recipients.scene import Read, by_token

pytestmark = pytest.mark.django_db
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
EVENT = "request.recipient_acknowledged"
Forge = Callable[[Read], Any]
#: What is sent instead, the status and the code.
BAD_TOKENS: dict[str, tuple[Forge, int, str]] = {
    "another token": (lambda found: by_token(found, token="A" * 43), 404, "not_found"),
    "an empty token": (lambda found: by_token(found, token=""), 400, "invalid_input"),
    "another digest": (lambda found: by_token(found, notice_sha256="ab" * 32), 403, "acknowledgement_refused"),
    "a digest that is no ASCII": (lambda found: by_token(found, notice_sha256="é"), 403, "acknowledgement_refused"),
    "another result": (lambda found: by_token(found, result="later"), 400, "invalid_input"),
    "a refusal without a reason": (lambda found: by_token(found, result="refused"), 400, "invalid_input"),
    "a reason without a refusal": (lambda found: by_token(found, reason="art17_3_e"), 400, "invalid_input"),
    "a reason of its own": (lambda found: by_token(found, result="refused", reason=cast.ALICE), 400, "invalid_input"),
    "a member more": (lambda found: by_token(found, words=cast.ALICE), 400, "invalid_input"),
    "nothing": (lambda found: {}, 400, "invalid_input"),
    "half of each": (lambda found: {"token": "A", "payload": "QQ=="}, 400, "invalid_input"),
    "no base64": (
        lambda found: {"payload": "*", "payloadType": PAYLOAD_TYPE, "signatures": [{"sig": "QQ=="}]},
        400,
        "invalid_input",
    ),
    "a signature of nobody known": (
        lambda found: scene.signed(ec.generate_private_key(ec.SECP256R1()), said(found)),
        403,
        "acknowledgement_refused",
    ),
    "two signatures": (
        lambda found: {"payload": "QQ==", "payloadType": PAYLOAD_TYPE, "signatures": [{"sig": "QQ=="}] * 2},
        400,
        "invalid_input",
    ),
    "a signature with a note": (
        lambda found: {"payload": "QQ==", "payloadType": PAYLOAD_TYPE, "signatures": [{"sig": "QQ==", "by": "me"}]},
        400,
        "invalid_input",
    ),
}


def said(found: Read, **changes: Any) -> bytes:
    """The payload of a signed answer."""
    digest = sha256(found.payload).hexdigest()
    members = {"notice": found.notice["notice"], "notice_sha256": digest, "result": "done", **changes}
    return canonical.dumps({name: value for name, value in members.items() if value is not None})


def told(server: Receiver, **known: Any) -> tuple[Notice, Read]:
    """A notice that was delivered, as its recipient reads it."""
    notice = scene.owed(scene.waiting(), url=scene.url_of(server), **known)
    return notice, scene.read_one(server, notice)


def entries() -> int:
    return LedgerEntry.objects.count() + PendingEntry.objects.count()


@pytest.mark.parametrize("case", BAD_TOKENS)
def test_it_refuses_what_is_no_answer_of_the_recipient(case: str, server: Receiver) -> None:
    forge, status, code = BAD_TOKENS[case]
    notice, found = told(server)
    before = entries()
    problem = refused(scene.answer(notice, forge(found)), status, code)
    notice.refresh_from_db()
    assert (notice.status, entries()) == ("sent", before)
    assert cast.MARK not in json.dumps(problem)


def test_an_unknown_notice_and_a_wrong_token_are_not_told_apart(server: Receiver) -> None:
    notice, found = told(server)
    wrong = body_of(scene.answer(notice, by_token(found, token="A" * 43)))
    notice.pk = uuid.uuid4()
    unknown = body_of(scene.answer(notice, by_token(found)))
    assert {key: value for key, value in wrong.items() if key != "detail"} == {
        key: value for key, value in unknown.items() if key != "detail"
    }


def test_the_token_of_another_notice_does_not_fit(server: Receiver) -> None:
    notice, _ = told(server)
    other = scene.owed(notice.request, "Other", url=scene.url_of(server))
    found = scene.read_one(server, other)
    refused(scene.answer(notice, by_token(found)), 404, "not_found")


def test_a_notice_that_was_never_made_cannot_be_answered() -> None:
    notice = scene.owed(scene.waiting())
    body = {"token": "A", "notice_sha256": "", "result": "done"}
    refused(scene.answer(notice, body), 400, "invalid_input")
    refused(scene.answer(notice, {**body, "notice_sha256": "ab" * 32}), 404, "not_found")


@pytest.mark.parametrize("kind", ["P-256", "Ed25519"])
def test_a_signed_answer_is_kept_and_verifies_later(kind: str, server: Receiver) -> None:
    key: Any = ec.generate_private_key(ec.SECP256R1()) if kind == "P-256" else Ed25519PrivateKey.generate()
    notice, found = told(server, public_key=scene.public_pem(key))
    body = scene.signed(key, said(found, result="refused", reason="art17_3_e"))
    response = scene.answer(notice, body)
    assert response.status_code == 200, response.content
    notice.refresh_from_db()
    kept = bytes(notice.acknowledgement)
    assert (notice.status, notice.result, notice.refusal_reason) == ("acknowledged", "refused", "art17_3_e")
    assert json.loads(kept)["payload"] == body["payload"]
    assert json.loads(kept)["signatures"][0]["keyid"] == dsse.public_key_sha256(key.public_key())
    digest = sha256(kept).hexdigest()
    assert body_of(response)["acknowledgement_sha256"] == digest == notice.acknowledgement_sha256
    facts = {"recipient": str(notice.recipient_id), "acknowledgement_sha256": digest}
    assert scene.facts_of(notice.request, EVENT) == [facts]


def test_the_example_of_the_manual_is_taken(server: Receiver) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    notice, found = told(server, public_key=scene.public_pem(key))
    body = scene.EXAMPLE["acknowledgement"](found.notice, found.payload, "done", scene.private_pem(key))
    assert scene.answer(notice, body).status_code == 200


FORGED: dict[str, tuple[Callable[[Any, Read], Any], int]] = {
    "signed by another": (lambda key, found: scene.signed(ec.generate_private_key(ec.SECP256R1()), said(found)), 403),
    "of another type": (lambda key, found: scene.signed(key, said(found), "application/vnd.in-toto+json"), 403),
    "about another notice": (lambda key, found: scene.signed(key, said(found, notice=str(uuid.uuid4()))), 403),
    "about another text": (lambda key, found: scene.signed(key, said(found, notice_sha256="ab" * 32)), 403),
    "without what was asked": (lambda key, found: scene.signed(key, said(found, notice_sha256=None)), 400),
    "with words": (lambda key, found: scene.signed(key, said(found, words=cast.ALICE)), 400),
    "with a number": (lambda key, found: scene.signed(key, said(found, result=1)), 400),
    "in another spelling": (lambda key, found: scene.signed(key, said(found) + b" "), 400),
    "too long": (lambda key, found: scene.signed(key, said(found, result="x" * 2100)), 400),
    "a token alone": (lambda key, found: by_token(found), 403),
    "changed after signing": (
        lambda key, found: {
            **scene.signed(key, said(found)),
            "payload": scene.signed(key, said(found, result="nothing_held"))["payload"],
        },
        403,
    ),
}


@pytest.mark.parametrize("case", FORGED)
def test_a_recipient_with_a_key_must_sign_exactly_this(case: str, server: Receiver) -> None:
    forge, status = FORGED[case]
    key = ec.generate_private_key(ec.SECP256R1())
    notice, found = told(server, public_key=scene.public_pem(key))
    response = scene.answer(notice, forge(key, found))
    assert response.status_code == status, response.content
    assert cast.MARK.encode() not in response.content
    notice.refresh_from_db()
    assert notice.status == "sent"


def test_a_repeated_answer_changes_nothing_and_another_one_is_refused(server: Receiver) -> None:
    notice, found = told(server)
    first = body_of(scene.answer(notice, by_token(found)))
    before = entries()
    assert body_of(scene.answer(notice, by_token(found))) == first
    refused(scene.answer(notice, by_token(found, result="nothing_held")), 409, "wrong_state")
    refused(scene.answer(notice, by_token(found, token="A" * 43)), 404, "not_found")
    assert entries() == before


def test_another_signature_over_the_same_answer_is_the_same_answer(server: Receiver) -> None:
    """ECDSA signatures have a second spelling, which anybody can make."""
    key = ec.generate_private_key(ec.SECP256R1())
    notice, found = told(server, public_key=scene.public_pem(key))
    body = scene.signed(key, said(found))
    first = body_of(scene.answer(notice, body))
    r, s = decode_dss_signature(canonical.decode_base64(body["signatures"][0]["sig"]))
    twin = canonical.encode_base64(encode_dss_signature(r, P256_ORDER - s))
    assert body_of(scene.answer(notice, {**body, "signatures": [{"sig": twin}]})) == first
    assert len(scene.facts_of(notice.request, EVENT)) == 1


def test_who_answers_while_the_notice_is_being_sent_was_told(server: Receiver) -> None:
    notice = scene.owed(scene.waiting(), url=scene.url_of(server))
    server.statuses = [500]
    found = scene.read_one(server, notice)
    assert scene.answer(notice, by_token(found)).status_code == 200
    hooks.try_now(scene.delivery_of(notice))
    assert scene.delivery_of(notice).status == DeliveryStatus.GAVE_UP, "nobody wants it any more"
    assert scene.delivery_of(notice).alarmed_at is None
    assert len(scene.facts_of(notice.request, "request.recipient_notified")) == 1
    assert len(scene.facts_of(notice.request, EVENT)) == 1


@pytest.mark.parametrize("when", ["closed", "shredded"])
def test_a_late_answer_is_taken(when: str, server: Receiver) -> None:
    notice, found = told(server)
    cast.second_signature(notice.request_id)
    notice.request.refresh_from_db()
    if when == "shredded":
        scene.shredded(notice.request)
    assert scene.answer(notice, by_token(found)).status_code == 200
    assert len(scene.facts_of(notice.request, EVENT)) == 1


def test_the_actor_is_the_system(server: Receiver) -> None:
    notice, found = told(server)
    scene.answer(notice, by_token(found))
    leaf = bytes(PendingEntry.objects.get(event_type=EVENT).leaf)
    assert str(SYSTEM.id).encode() in leaf
