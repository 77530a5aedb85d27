"""A person who comes through OpenDSR is in the vault and nowhere else."""

import base64
import logging
from hashlib import sha256

import pytest
from django.apps import apps

from compliance.outbound.models import Delivery
from compliance.requests.models import SubjectVault
from tests.compliance import cast
from tests.compliance.controllers.caller import Caller, creation, email, members_of
from tests.compliance.controllers.installation import deliver_all, registered, row_of
from tests.compliance.opendsr.messages import encoded
from tests.compliance.outbound.receiver import receiving

pytestmark = pytest.mark.django_db


def everything_stored() -> str:
    """Every value of every row outside the vault, as text; bytes as they are, in hexadecimal and in Base64."""
    rows = [
        value
        for model in apps.get_models()
        if model is not SubjectVault
        for row in model._base_manager.values_list()
        for value in row
    ]
    texts = [
        value if isinstance(value, str) else repr(value) for value in rows if not isinstance(value, bytes | memoryview)
    ]
    for value in rows:
        if isinstance(value, bytes | memoryview):
            texts += [bytes(value).decode("latin-1"), bytes(value).hex(), base64.b64encode(value).decode()]
    return "\n".join(texts)


def traces(body: bytes) -> list[str]:
    """What would give the person away: the address and its parts, and plain digests of it and of the whole body."""
    address = cast.ALICE.encode()
    digests = [sha256(value).hexdigest() for value in (address, body)]
    return [cast.MARK, address.hex(), base64.b64encode(address).decode(), base64.b64encode(body).decode(), *digests]


def test_the_person_is_in_no_row_log_delivery_or_answer_but_the_echo(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caller = Caller(registered().token)
    with receiving() as receiver:
        asked = creation(
            status_callback_urls=[receiver.url],
            subject_identities=[email(), email(sha256(cast.ALICE.encode()).hexdigest(), "sha256")],
            extensions={"other.example": {"note": cast.ALICE}},
            vendor=cast.ALICE,
        )
        body = encoded(asked)
        acknowledged = caller.create(body)
        caller.create(body)
        caller.create(body + b" ")
        row = row_of(asked["subject_request_id"])
        cast.decide(row.request_id)
        deliver_all()
        cast.make_plan(row.request_id)
        cast.second_signature(row.request_id)
        deliver_all()
    answers = caller.ask(asked["subject_request_id"]).content + b"".join(each.body for each in receiver.received)
    echoless = {name: value for name, value in members_of(acknowledged).items() if name != "encoded_request"}
    public = "\n".join((everything_stored(), caplog.text, answers.decode(), str(echoless)))
    assert len(receiver.received) == Delivery.objects.count() == 2
    assert [trace for trace in traces(body) if trace in public] == []
    registered(f"acme.{cast.MARK}")
    assert cast.MARK in everything_stored(), "the search would find nothing, whatever there is"
