"""After a key is distrusted, its evidence must run again unless others saw it before, stamped and witnessed."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings

from compliance.evidence import canonical
from compliance.evidence.merkle import leaf_hash
from compliance.ledger import keys
from compliance.ledger.doubtful_evidence import DoubtfulEvidence, doubtful_evidence
from compliance.ledger.models import (
    EvidenceTimestamp,
    PendingEntry,
    PublicKey,
)
from compliance.ledger.record import record_evidence
from compliance.ledger.sequencer import sequence_batch
from tests.compliance.ledger.key_cast import new_witness, run, sign_ledger, signed_evidence, stamp

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    """A key folder and a guard of this test alone."""
    settings.EVIDENCE_KEY_PATH = tmp_path / "evidence.pem"
    settings.LEDGER_KEY_PATH = tmp_path / "ledger.pem"
    settings.CHECKPOINT_GUARD_PATH = tmp_path / "guard"
    return tmp_path


def without_key(leaf: bytes, letter: bytes) -> bytes:
    """The leaf of evidence with letters where its key is: no point of the curve, which no trigger can know."""
    body = canonical.loads(leaf)
    named = body["spec"]["hashedRekordV002"]["signature"]["verifier"]["publicKey"]
    named["rawBytes"] = canonical.encode_base64(canonical.decode_base64(named["rawBytes"])[:-64] + letter * 64)
    return canonical.dumps(body)


def append_evidence(leaf: bytes) -> None:
    """Put a leaf into the outbox as evidence, whatever it is."""
    PendingEntry.objects.create(
        kind="evidence",
        event_type="evidence.attached",
        request_id=uuid.uuid4(),
        leaf=leaf,
        leaf_sha256=leaf_hash(leaf).hex(),
        recorded_at=datetime.now(tz=UTC),
    )


def test_what_is_no_evidence_keeps_nobody_from_learning_what_must_run_again(caplog: pytest.LogCaptureFixture) -> None:
    run("create")
    first = signed_evidence()
    append_evidence(without_key(bytes(first.leaf), b"a"))
    sequence_batch()
    last = signed_evidence()
    append_evidence(without_key(bytes(first.leaf), b"b"))
    doubtful = list(doubtful_evidence(keys.evidence_signer().keyid, datetime.now(tz=UTC)))
    assert [item.position for item in doubtful] == [first.position, last.position]
    assert [record.getMessage() for record in caplog.records if record.name.endswith("doubtful_evidence")] == [
        f"Entry {first.position + 1} should be signed evidence and is not.",
        "Entry that waits for its position should be signed evidence and is not.",
    ]


def test_what_another_key_signed_is_not_in_doubt() -> None:
    run("create")
    first = signed_evidence()
    old = PublicKey.objects.get(purpose="evidence").key_sha256
    run("rotate", "evidence")
    second = signed_evidence()
    since = datetime.now(tz=UTC)
    new = PublicKey.objects.get(purpose="evidence", valid_until=None).key_sha256
    assert [item.position for item in doubtful_evidence(old, since)] == [first.position]
    assert [item.position for item in doubtful_evidence(new, since)] == [second.position]


def test_evidence_that_has_no_position_yet_is_in_doubt() -> None:
    run("create")
    signer = keys.evidence_signer()
    request_id = uuid.uuid4()
    with transaction.atomic():
        digest = record_evidence(signer.sign(b"{}"), signer.public_key_pem, request_id=request_id)
    assert list(doubtful_evidence(signer.keyid, datetime.now(tz=UTC))) == [DoubtfulEvidence(request_id, digest, None)]


@pytest.mark.parametrize(
    ("stamped", "witnessed", "is_doubtful"),
    [
        pytest.param(None, None, True, id="neither stamped nor witnessed"),
        pytest.param(-60, None, True, id="stamped before"),
        pytest.param(None, -60, True, id="witnessed before"),
        pytest.param(60, -60, True, id="stamped too late"),
        pytest.param(-60, 60, True, id="witnessed too late"),
        pytest.param(-60, -60, False, id="stamped and witnessed before"),
    ],
)
def test_evidence_survives_only_when_stamped_and_witnessed_before(
    stamped: int | None, witnessed: int | None, is_doubtful: bool, folder: Path, settings: Settings
) -> None:
    run("create")
    entry = signed_evidence()
    head = sign_ledger()
    since = datetime.now(tz=UTC).replace(microsecond=0)
    witness = new_witness(folder, settings)
    if stamped is not None:
        stamp(entry, since + timedelta(seconds=stamped), folder, settings)
    if witnessed is not None:
        witness.cosign(head, since + timedelta(seconds=witnessed))
    doubtful = list(doubtful_evidence(keys.evidence_signer().keyid, since))
    assert [item.position for item in doubtful] == ([entry.position] if is_doubtful else [])


def test_evidence_after_the_witnessed_head_is_in_doubt(folder: Path, settings: Settings) -> None:
    run("create")
    witness = new_witness(folder, settings)
    witness.cosign(sign_ledger(), datetime.now(tz=UTC).replace(microsecond=0) - timedelta(seconds=60))
    later = signed_evidence()
    since = datetime.now(tz=UTC)
    stamp(later, since - timedelta(seconds=60), folder, settings)
    assert [item.position for item in doubtful_evidence(keys.evidence_signer().keyid, since)] == [later.position]


def test_the_row_of_a_token_says_nothing_about_when_evidence_was_signed(folder: Path, settings: Settings) -> None:
    run("create")
    witness = new_witness(folder, settings)
    entry = signed_evidence()
    since = datetime.now(tz=UTC).replace(microsecond=0)
    before = since - timedelta(seconds=60)
    witness.cosign(sign_ledger(), before)
    stamp(entry, since + timedelta(seconds=60), folder, settings)
    EvidenceTimestamp.objects.create(leaf_sha256=entry.leaf_sha256, token=b"token", stamped_at=before)
    assert [item.position for item in doubtful_evidence(keys.evidence_signer().keyid, since)] == [entry.position]
