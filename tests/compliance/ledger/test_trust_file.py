"""The trust file names each key with what is known of it, is the same for the same keys, and leaves out what proves nothing."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.core.management import CommandError, call_command
from pytest_django import Settings

from compliance.evidence import trust
from compliance.evidence.checkpoint import parse_vkey
from compliance.evidence.errors import KeyValidityError
from compliance.evidence.verify_export import verify_export
from compliance.ledger import keys, logs
from compliance.ledger.models import (
    Log,
    PublicKey,
)
from compliance.ledger.sequencer import sequence_batch
from compliance.ledger.trust_file import current_trust
from tests.compliance.ledger.key_cast import (
    new_witness,
    rotated,
    run,
    sign_ledger,
)

pytestmark = pytest.mark.django_db
AUTHORITY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    """A key folder and a guard of this test alone."""
    settings.EVIDENCE_KEY_PATH = tmp_path / "evidence.pem"
    settings.LEDGER_KEY_PATH = tmp_path / "ledger.pem"
    settings.CHECKPOINT_GUARD_PATH = tmp_path / "guard"
    return tmp_path


def certificate(name: str, issuer: str) -> str:
    """A certificate in PEM; what it certifies does not matter here."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, each)]) for each in (name, issuer)]
    builder = x509.CertificateBuilder(names[1], names[0], AUTHORITY.public_key(), 1, now, now + timedelta(days=9))
    return builder.sign(AUTHORITY, SHA256()).public_bytes(serialization.Encoding.PEM).decode()


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
    said = run("trust-file", "--out", str(folder / "trust.json"))
    assert f"leaves {parse_vkey(vkey.text).name} out" in said and "rotate checkpoint" in said
    assert trust.parse((folder / "trust.json").read_bytes()).log_vkeys == ()
    settings.WITNESS_POLICY_PATH = folder / "policy"
    settings.WITNESS_POLICY_PATH.write_text("quorum none\n")
    assert current_trust().log_vkeys == (), "a policy that asks nobody"
    new_witness(folder, settings)
    said = run("trust-file", "--out", str(folder / "trust.json"))
    assert "out: its key" not in said
    assert trust.parse((folder / "trust.json").read_bytes()).log_vkeys == (vkey.text,)


def test_no_export_is_written_that_its_own_verification_refuses(folder: Path) -> None:
    run("create")
    head = sign_ledger()
    run("distrust", PublicKey.objects.get(purpose="checkpoint").key_sha256, "--from", "2026-05-01T12:00:00Z")
    rotated()
    pinned = current_trust()
    assert [parse_vkey(vkey).name for vkey in pinned.log_vkeys] == [Log.objects.get(number=2).origin]
    with pytest.raises(CommandError, match=rf"{head.log.origin} is signed with a key that is distrusted.*witnesses"):
        call_command("export_ledger", str(folder / "export"))
    assert not list(folder.glob("*export*"))


def test_beside_witnesses_a_log_whose_key_is_distrusted_is_exported_and_verifies(
    folder: Path, settings: Settings
) -> None:
    run("create")
    sign_ledger()
    run("distrust", PublicKey.objects.get(purpose="checkpoint").key_sha256, "--from", "2026-05-01T12:00:00Z")
    rotated()
    witness = new_witness(folder, settings)
    for log in Log.objects.all():
        last = logs.last_checkpoint(log)
        assert last is not None
        witness.cosign(last, datetime.now(tz=UTC).replace(microsecond=0))
    call_command("export_ledger", str(folder / "export"), stdout=io.StringIO())
    assert len(verify_export(folder / "export", trust=current_trust(), n_processes=1).logs) == 2


Change = Callable[[], object]
CHANGES: dict[str, Change] = {
    "an evidence key is distrusted": lambda: run(
        "distrust", keys.evidence_signer().keyid, "--from", "2026-05-01T12:00:00Z"
    ),
    "a log key is distrusted": lambda: run(
        "distrust", PublicKey.objects.get(purpose="checkpoint").key_sha256, "--from", "2026-05-01T12:00:00Z"
    ),
    "an evidence key is rotated": lambda: run("rotate", "evidence"),
    "an overlap is cut short": lambda: [run("rotate", "evidence"), run("rotate", "evidence", "--overlap-hours", "0")],
    "a log begins": rotated,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_newer_trust_file_has_a_later_time_and_an_unchanged_one_the_same_bytes(change: str) -> None:
    run("create")
    sign_ledger()
    before = current_trust()
    assert trust.write(current_trust()) == trust.write(before)
    CHANGES[change]()
    after = current_trust()
    assert after.issued_at > before.issued_at, "also within one second"
    sequence_batch()
    assert trust.write(current_trust()) == trust.write(after), "an entry that gets its position changes nothing"


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
