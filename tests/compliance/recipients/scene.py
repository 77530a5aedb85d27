"""A request that waits for sign-off, its recipients, and what they get and answer."""

import base64
import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from compliance.evidence import leaf as leaves
from compliance.ledger import actors, keys
from compliance.ledger.actors import SYSTEM, Actor, Role
from compliance.ledger.models import LedgerEntry, PendingEntry
from compliance.outbound.models import Delivery
from compliance.recipients.actions.register_recipient import register_recipient
from compliance.recipients.details import Details
from compliance.recipients.models import Notice
from compliance.recipients.notices import KIND, owe
from compliance.requests.actions.shred import shred
from compliance.requests.models import DeletionRequest, Letter
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.outbound import hooks
from tests.compliance.outbound.receiver import Received, Receiver

MANUAL = (settings.ROOT / "docs" / "recipients.md").read_text()
EXAMPLE: dict[str, Any] = {}
for _code in re.findall(r"```python\n(.*?)```", MANUAL, flags=re.DOTALL):
    exec(_code, EXAMPLE)  # noqa: S102 - our own manual


def bob() -> Actor:
    return actors.staff(cast.bob(), Role.OPERATOR)


def dana() -> Actor:
    return actors.staff(cast.dana(), Role.DPO)


def url_of(server: Receiver) -> str:
    return f"https://localhost:{server.port}/erasure"


def waiting() -> DeletionRequest:
    """Alice's request, verified in the model spam."""
    cast.model_of("spam", cast.ALICE)
    return cast.brought_to(RequestState.SIGNOFF).request


def owed(request: DeletionRequest, name: str = "Fabrikam SAS", **known: Any) -> Notice:
    """The notice that a new recipient of the model spam is owed."""
    register_recipient(name, Details(models=("spam",), **known), actor=SYSTEM)
    return Notice.objects.get(request=request, recipient__name=name)


def owed_late(name: str = "Fabrikam SAS", **known: Any) -> Notice:
    """A notice that came to be owed after Alice's request was completed."""
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.COMPLETED).request
    register_recipient(name, Details(models=("spam",), **known), actor=SYSTEM)
    with transaction.atomic():
        (notice,) = owe(request)
    return notice


def shredded(request: DeletionRequest) -> None:
    """A closed request whose letters were sent is shredded."""
    Letter.objects.filter(request=request).update(sent_at=request.changed_at)
    shred(request.pk, actor=SYSTEM)


def facts_of(request: DeletionRequest, event: str) -> list[dict[str, Any]]:
    """The facts of the entries of this type, in their order."""
    entries: tuple[type[LedgerEntry | PendingEntry], ...] = (LedgerEntry, PendingEntry)
    rows = [row for model in entries for row in model._default_manager.filter(request_id=request.pk).order_by("pk")]
    return [dict(leaves.parse(bytes(row.leaf)).facts) for row in rows if row.event_type == event]


def delivery_of(notice: Notice) -> Delivery:
    return Delivery.objects.filter(kind=KIND, subject_id=notice.pk).latest("created_at")


def sent(notice: Notice) -> Notice:
    """After the next try, whatever came of it."""
    hooks.try_now(delivery_of(notice))
    notice.refresh_from_db()
    return notice


@dataclass(frozen=True)
class Read:
    """A notice as its recipient reads it with the example of the manual."""

    notice: dict[str, Any]
    payload: bytes


def read(received: Received, notice: Notice) -> Read:
    return Read(*EXAMPLE["verified"](received.body, keys.evidence_signer().public_key_pem, str(notice.recipient_id)))


def read_one(server: Receiver, notice: Notice) -> Read:
    """The notice that its recipient gets at the next try."""
    sent(notice)
    return read(server.received[-1], notice)


def answer(notice: Notice, body: Any) -> HttpResponse:
    """POST an acknowledgement."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    response: Any = Client().post(
        f"/api/v1/recipients/acknowledgements/{notice.pk}", data, content_type="application/json", secure=True
    )
    assert isinstance(response, HttpResponse)
    return response


def by_token(found: Read, **changes: Any) -> dict[str, Any]:
    """The body of an acknowledgement with the token."""
    body = {
        "token": found.notice["acknowledgement"]["token"],
        "notice_sha256": sha256(found.payload).hexdigest(),
        "result": "done",
    }
    return {**body, **changes}


def signed(key: Any, payload: bytes, kind: str = "application/vnd.expunge.recipient-acknowledgement+json") -> Any:
    """An envelope around any bytes, of any type."""
    pae = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    signature = key.sign(pae) if isinstance(key, Ed25519PrivateKey) else key.sign(pae, ec.ECDSA(SHA256()))
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": kind,
        "signatures": [{"sig": base64.b64encode(signature).decode()}],
    }


def public_pem(key: Any) -> str:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, spki).decode())


def private_pem(key: Any) -> bytes:
    return bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
