"""`manage.py keys`: what an operator types, what comes back, and what is refused with a sentence."""

import io
import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from django.core.management import CommandError, call_command
from django.db import transaction
from pytest_django import Settings

from compliance.evidence import cosignature, trust
from compliance.evidence.errors import KeyValidityError
from compliance.ledger import keys
from compliance.ledger.actors import SYSTEM
from compliance.ledger.checkpointer import latest, sign_checkpoint
from compliance.ledger.doubtful_evidence import DoubtfulEvidence, doubtful_evidence
from compliance.ledger.models import Cosignature, EvidenceTimestamp, LedgerEntry, PublicKey, SignedCheckpoint
from compliance.ledger.record import record_event, record_evidence
from compliance.ledger.sequencer import sequence_batch

pytestmark = pytest.mark.django_db
AUTHORITY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    """A key folder and a guard of this test alone."""
    settings.EVIDENCE_KEY_PATH = tmp_path / "evidence.pem"
    settings.LEDGER_KEY_PATH = tmp_path / "ledger.pem"
    settings.CHECKPOINT_GUARD_PATH = tmp_path / "guard"
    return tmp_path


def run(*arguments: str) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("keys", *arguments, stdout=out)
    return out.getvalue()


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


# --- What is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param([], "required: VERB", id="no verb"),
        pytest.param(["destroy"], "invalid choice", id="another verb"),
        pytest.param(["create", "vault"], "invalid choice", id="another purpose"),
        pytest.param(["rotate"], "required: purpose", id="to rotate nothing"),
        pytest.param(["rotate", "all"], "invalid choice", id="to rotate everything at once"),
        pytest.param(["rotate", "evidence", "--overlap-hours", "-1"], "0 or more", id="an overlap before now"),
        pytest.param(["distrust", "ab" * 32], "required: --from", id="distrust without a moment"),
        pytest.param(["distrust", "ab" * 32, "--from", "2026-05-01"], "2026-05-01T12:00:00Z", id="a day as a moment"),
        pytest.param(["distrust", "ab" * 32, "--from", "2026-05-01T12:00:00Z"], "found 0", id="an unknown key"),
        pytest.param(["distrust", "ab", "--from", "2026-05-01T12:00:00Z"], "at least 8", id="hardly a fingerprint"),
        pytest.param(["trust-file"], "not published yet", id="a trust file without keys"),
    ],
)
def test_it_refuses(arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=re.escape(sentence)):
        run(*arguments)
    assert not PublicKey.objects.exists()


def test_it_refuses_a_key_file_that_others_can_read_and_says_what_helps(folder: Path) -> None:
    run("create")
    (folder / "evidence.pem").chmod(0o644)
    with pytest.raises(CommandError, match="chmod 600"):
        run("create", "evidence")


@pytest.mark.parametrize("verb", ["create", "list", "rotate", "distrust", "trust-file"])
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(verb, "--help")
    assert ended.value.code == 0
    assert f"keys {verb}" in capsys.readouterr().out


# --- create, list, rotate ----------------------------------------------------------------------------------------


def test_create_makes_both_keys_and_publishes_the_one_for_evidence(folder: Path) -> None:
    said = run("create")
    assert str(folder / "ledger.pem") in said and str(folder / "evidence.pem") in said
    assert PublicKey.objects.get().key_sha256 in said
    assert "created" not in run("create"), "what is there is left alone"
    assert PublicKey.objects.count() == 1


def test_create_touches_only_the_key_that_is_named(folder: Path) -> None:
    run("create", "checkpoint")
    assert not (folder / "evidence.pem").exists()
    assert not PublicKey.objects.exists()


def test_the_list_tells_what_is_in_use_here() -> None:
    run("create")
    head = sign_ledger()
    retired = PublicKey.objects.get(purpose="evidence")
    run("rotate", "evidence", "--overlap-hours", "0")
    shown = {row["key_sha256"]: row for row in json.loads(run("list", "--json"))}
    assert len(shown) == 3
    old = shown.pop(retired.key_sha256)
    assert (old["is_in_use"], old["valid_until"] is None) == (False, False)
    assert {(row["purpose"], row["log"], row["is_in_use"], row["valid_until"]) for row in shown.values()} == {
        ("evidence", None, True, None),
        ("checkpoint", head.log.origin, True, None),
    }


def test_the_list_for_people_says_the_same(folder: Path) -> None:
    assert "keys create" in run("list")
    run("create")
    key_sha256 = PublicKey.objects.get().key_sha256
    assert re.search(rf"evidence +{key_sha256} -\n.*until open end; in use here", run("list"))
    (folder / "evidence.pem").unlink()
    assert "cannot read" in run("list")


def test_rotating_the_checkpoint_key_tells_what_happens_next(folder: Path) -> None:
    assert "No log has begun yet" in run("rotate", "checkpoint")
    (folder / "ledger.next.pem").unlink()
    run("create")
    head = sign_ledger()
    said = run("rotate", "checkpoint")
    assert head.log.origin in said and "to its end" in said
    assert (folder / "ledger.next.pem").exists()


def test_behind_a_uri_the_operator_is_told_the_steps(folder: Path, settings: Settings) -> None:
    run("create")
    sign_ledger()
    settings.LEDGER_KEY_URI = "hv:expunge-log/1"
    assert "EXPUNGE_LEDGER_KEY_URI" in run("rotate", "checkpoint")
    assert not (folder / "ledger.next.pem").exists()


# --- distrust ----------------------------------------------------------------------------------------------------


def test_distrust_names_what_must_be_run_again() -> None:
    run("create")
    entry = signed_evidence()
    key_sha256 = PublicKey.objects.get(purpose="evidence").key_sha256
    since = (datetime.now(tz=UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    said = run("distrust", key_sha256[:12], "--from", since)
    assert f"request {entry.request_id}, evidence {entry.leaf_sha256} (position {entry.position})" in said
    assert "on this key alone: 1." in said
    with pytest.raises(CommandError, match="already"):
        run("distrust", key_sha256, "--from", since)


def test_a_distrusted_checkpoint_key_must_be_rotated() -> None:
    run("create")
    sign_ledger()
    key_sha256 = PublicKey.objects.get(purpose="checkpoint").key_sha256
    assert "rotate checkpoint" in run("distrust", key_sha256, "--from", "2026-05-01T12:00:00Z")


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
        at = since + timedelta(seconds=stamped)
        EvidenceTimestamp.objects.create(leaf_sha256=entry.leaf_sha256, token=b"token", stamped_at=at)
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
    stamped_at = since - timedelta(seconds=60)
    EvidenceTimestamp.objects.create(leaf_sha256=later.leaf_sha256, token=b"token", stamped_at=stamped_at)
    assert [item.position for item in doubtful_evidence(keys.evidence_signer().keyid, since)] == [later.position]


# --- trust-file --------------------------------------------------------------------------------------------------


def certificate(name: str, issuer: str) -> str:
    """A certificate in PEM; what it certifies does not matter here."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, each)]) for each in (name, issuer)]
    builder = x509.CertificateBuilder(names[1], names[0], AUTHORITY.public_key(), 1, now, now + timedelta(days=9))
    return builder.sign(AUTHORITY, SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_the_trust_file_is_what_its_reader_expects_and_its_fingerprint_is_printed(folder: Path) -> None:
    run("create")
    head = sign_ledger()
    out = folder / "trust.json"
    said = run("trust-file", "--out", str(out))
    pinned = trust.parse(out.read_bytes())
    assert trust.fingerprint(out.read_bytes()) in said
    assert [key.key_sha256 for key in pinned.evidence_keys] == [keys.evidence_signer().keyid]
    assert pinned.log_vkeys == (PublicKey.objects.get(purpose="checkpoint").text,)
    assert pinned.log_vkeys[0].startswith(f"{head.log.origin}+")
    assert (pinned.timestamp_authorities, pinned.witness_policy_text) == ((), None)
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_a_trust_file_can_be_piped_out_of_a_container() -> None:
    run("create")
    sign_ledger()
    out, error = io.StringIO(), io.StringIO()
    call_command("keys", "trust-file", "--out", "-", stdout=out, stderr=error)
    data = out.getvalue().encode()
    assert trust.parse(data).evidence_keys
    assert trust.fingerprint(data) in error.getvalue()


def test_retired_and_distrusted_keys_are_named_with_their_times(folder: Path) -> None:
    run("create")
    sign_ledger()
    old = keys.evidence_signer().keyid
    run("rotate", "evidence")
    run("distrust", old, "--from", "2026-05-01T12:00:00Z")
    run("trust-file", "--out", str(folder / "trust.json"))
    key = trust.parse((folder / "trust.json").read_bytes()).key_for(old)
    assert key is not None
    assert key.valid_until is not None
    assert key.distrusted_from == datetime(2026, 5, 1, 12, tzinfo=UTC)
    with pytest.raises(KeyValidityError):
        key.refuse_invalid(None, is_proven=False)


def test_a_distrusted_log_key_is_named_only_beside_witnesses(folder: Path, settings: Settings) -> None:
    run("create")
    sign_ledger()
    vkey = PublicKey.objects.get(purpose="checkpoint")
    run("distrust", vkey.key_sha256, "--from", "2026-05-01T12:00:00Z")
    with pytest.raises(CommandError, match="not published yet"):
        run("trust-file", "--out", str(folder / "trust.json"))
    new_witness(folder, settings)
    run("trust-file", "--out", str(folder / "trust.json"))
    assert trust.parse((folder / "trust.json").read_bytes()).log_vkeys == (vkey.text,)


def test_authorities_and_policy_are_taken_from_their_files(folder: Path, settings: Settings) -> None:
    run("create")
    sign_ledger()
    chains = [["Root A", "Root A"], ["TSA A", "Root A"], ["Root B", "Root B"]]
    pems = [certificate(*chain) for chain in chains]
    settings.TSA_CERTIFICATES_PATH = folder / "tsa.pem"
    settings.TSA_CERTIFICATES_PATH.write_text("".join(pems))
    new_witness(folder, settings)
    run("trust-file", "--out", str(folder / "trust.json"))
    pinned = trust.parse((folder / "trust.json").read_bytes())
    assert pinned.timestamp_authorities == ((pems[0], pems[1]), (pems[2],))
    assert pinned.witness_policy_text == settings.WITNESS_POLICY_PATH.read_text()


@pytest.mark.parametrize(
    ("setting", "content", "sentence"),
    [
        pytest.param("TSA_CERTIFICATES_PATH", None, "cannot be read", id="certificates that are not there"),
        pytest.param("TSA_CERTIFICATES_PATH", "hello", "certificates in PEM", id="no certificates"),
        pytest.param("TSA_CERTIFICATES_PATH", certificate("TSA", "Root"), "root", id="no root"),
        pytest.param("WITNESS_POLICY_PATH", None, "cannot be read", id="a policy that is not there"),
        pytest.param("WITNESS_POLICY_PATH", "quorum w\n", "Line 1", id="no policy"),
    ],
)
def test_a_trust_file_with_a_broken_part_is_not_written(
    setting: str, content: str | None, sentence: str, folder: Path, settings: Settings
) -> None:
    run("create")
    sign_ledger()
    setattr(settings, setting, folder / "part")
    if content is not None:
        (folder / "part").write_text(content)
    with pytest.raises(CommandError, match=sentence):
        run("trust-file", "--out", str(folder / "trust.json"))
    assert not (folder / "trust.json").exists()


def test_a_trust_file_in_a_folder_that_is_missing_is_an_error(folder: Path) -> None:
    run("create")
    sign_ledger()
    with pytest.raises(CommandError, match="No such file"):
        run("trust-file", "--out", str(folder / "none" / "trust.json"))
