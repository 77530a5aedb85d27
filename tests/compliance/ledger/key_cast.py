"""What tests of keys share: the command, a ledger that signs, evidence, and those who vouch for them."""

import io
import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command
from django.db import transaction
from pytest_django import Settings

from compliance.evidence import cosignature
from compliance.evidence.rekord import parse_hashedrekord
from compliance.ledger import keys
from compliance.ledger.actors import SYSTEM
from compliance.ledger.checkpointer import latest, sign_checkpoint
from compliance.ledger.models import (
    Cosignature,
    EvidenceTimestamp,
    LedgerEntry,
    Log,
    PendingEntry,
    PublicKey,
    SignedCheckpoint,
)
from compliance.ledger.record import record_event, record_evidence
from compliance.ledger.sequencer import sequence_batch
from tests.compliance.evidence.stamping import new_authority


def run(*arguments: str) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("keys", *arguments, stdout=out)
    return out.getvalue()


def state(folder: Path) -> tuple[object, ...]:
    """What a refused command must leave alone: key files, published keys, entries and logs."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if ".pem" in path.name}
    rows = (PublicKey.objects.order_by("pk"), PendingEntry.objects.order_by("pk"), Log.objects.order_by("pk"))
    return files, *(list(each.values()) for each in rows)


def sign_ledger() -> SignedCheckpoint:
    """An entry more, and a checkpoint over everything."""
    with transaction.atomic():
        record_event("model.registered", actor=SYSTEM, facts={"model": str(uuid.uuid4()), "family": "linear"})
    sequence_batch()
    sign_checkpoint()
    head = latest()
    assert head is not None
    return head


def signed_evidence() -> LedgerEntry:
    """An entry of evidence that the current key has signed, positioned."""
    signer = keys.evidence_signer()
    envelope = signer.sign(json.dumps({"n": str(uuid.uuid4())}).encode())
    with transaction.atomic():
        digest = record_evidence(envelope, signer.public_key_pem, request_id=uuid.uuid4())
    sequence_batch()
    return LedgerEntry.objects.get(leaf_sha256=digest)


def stamp(entry: LedgerEntry, at: datetime, folder: Path, settings: Settings) -> None:
    """A token over the signature of this evidence, by an authority that is configured from now on."""
    authority = new_authority()
    settings.TSA_CERTIFICATES_PATH = folder / "tsa.pem"
    settings.TSA_CERTIFICATES_PATH.write_text("".join(authority.pems))
    token = authority.stamp(parse_hashedrekord(bytes(entry.leaf)).signature, at)
    EvidenceTimestamp.objects.create(leaf_sha256=entry.leaf_sha256, token=token, stamped_at=at)


@dataclass(frozen=True)
class Witness:
    """A witness that the policy asks for."""

    key: Ed25519PrivateKey

    def cosign(self, head: SignedCheckpoint, at: datetime) -> None:
        """Have seen this checkpoint at a time."""
        line = cosignature.cosign(bytes(head.note), "witness.example", self.key, at)
        Cosignature.objects.create(checkpoint=head, witness="w", line=line, cosigned_at=at)


def new_witness(folder: Path, settings: Settings) -> Witness:
    """The one witness of the policy that is configured from now on."""
    witness = Witness(Ed25519PrivateKey.generate())
    vkey = cosignature.vkey("witness.example", witness.key.public_key())
    settings.WITNESS_POLICY_PATH = folder / "policy"
    settings.WITNESS_POLICY_PATH.write_text(f"witness w {vkey}\nquorum w\n")
    return witness


def rotated() -> None:
    """The log is signed to its end, and the next one has begun under another key."""
    run("rotate", "checkpoint")
    sequence_batch()
    while sign_checkpoint():
        pass
    for _ in range(2):
        sign_ledger()
    assert PublicKey.objects.filter(purpose="checkpoint", valid_until=None).count() == 1
    assert Log.objects.count() == 2
