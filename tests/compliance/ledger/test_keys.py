"""Keys are made once, kept from others, published before their first use, and give way to others without a gap."""

import shutil
import stat
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection, connections, transaction
from pytest_django import Settings

from compliance.evidence import checkpoint, dsse, key_files, leaf, signing
from compliance.evidence.key_files import KeyFileError
from compliance.evidence.signing import EvidenceSigner, SignerError
from compliance.ledger import held_keys, keys, leadership, logs, notes, waiting_keys
from compliance.ledger.actions.distrust_key import distrust_key
from compliance.ledger.actions.retire_key import retire_key
from compliance.ledger.actors import SYSTEM
from compliance.ledger.checkpointer import sign_checkpoint
from compliance.ledger.errors import KeyOutOfUseError, KeyStateError
from compliance.ledger.guard import Guard, GuardError
from compliance.ledger.models import Log, PendingEntry, PublicKey, SignedCheckpoint
from compliance.ledger.record import record_event
from compliance.ledger.sequencer import sequence_batch

pytestmark = pytest.mark.django_db
EVIDENCE, CHECKPOINT = PublicKey.Purpose.EVIDENCE, PublicKey.Purpose.CHECKPOINT


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    """A key folder and a guard of this test alone."""
    settings.EVIDENCE_KEY_PATH = tmp_path / "evidence.pem"
    settings.LEDGER_KEY_PATH = tmp_path / "ledger.pem"
    settings.EVIDENCE_PUBLIC_KEY_PATH = tmp_path / "evidence.pub.pem"
    settings.LEDGER_PUBLIC_KEY_PATH = tmp_path / "ledger.pub.pem"
    settings.CHECKPOINT_GUARD_PATH = tmp_path / "guard"
    return tmp_path


def run_ledger() -> SignedCheckpoint:
    """Position what waits, and an entry more, and sign over it."""
    with transaction.atomic():
        record_event("model.registered", actor=SYSTEM, facts={"model": str(uuid.uuid4()), "family": "linear"})
    while sequence_batch():
        pass
    head = sign_checkpoint()
    assert head is not None
    return head


def events(event_type: str) -> list[leaf.Event]:
    entries = PendingEntry.objects.filter(event_type=event_type).order_by("pk")
    return [leaf.parse(bytes(entry.leaf)) for entry in entries]


# --- Making them -------------------------------------------------------------------------------------------------


def test_a_published_key_that_lost_its_file_is_not_replaced(folder: Path) -> None:
    keys.create_missing()
    keys.publish_evidence_key()
    (folder / "evidence.pem").rename(folder / "lost.pem")
    with pytest.raises(KeyStateError, match=r"Restore.*rotate evidence"):
        keys.create_missing()
    assert not (folder / "evidence.pem").exists()


def test_keys_are_made_once_and_readable_by_their_owner_alone(folder: Path) -> None:
    assert len(keys.create_missing()) == 2
    before = (folder / "ledger.pem").read_bytes()
    assert keys.create_missing() == []
    assert (folder / "ledger.pem").read_bytes() == before
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*.pem")} == {0o600}


def test_only_the_key_that_is_asked_for_is_made(folder: Path) -> None:
    assert keys.create_missing([EVIDENCE]) == [folder / "evidence.pem"]
    assert not (folder / "ledger.pem").exists()


def test_no_file_is_made_for_a_key_behind_a_uri(folder: Path, settings: Settings) -> None:
    settings.EVIDENCE_KEY_URI = settings.LEDGER_KEY_URI = "hv:expunge/1"
    assert keys.create_missing() == []


# --- Signing evidence --------------------------------------------------------------------------------------------


def test_a_missing_key_is_an_error_with_the_command_that_helps() -> None:
    with pytest.raises(KeyFileError, match="keys create"):
        keys.evidence_signer()


@pytest.mark.parametrize("end", ["retired", "distrusted"])
def test_a_key_that_is_out_of_use_signs_nothing(end: str) -> None:
    keys.create_missing()
    key_sha256 = keys.evidence_signer().keyid
    now = datetime.now(tz=UTC)
    if end == "retired":
        retire_key(key_sha256, valid_until=now - timedelta(seconds=1))
    else:
        distrust_key(key_sha256, distrusted_from=now)
    with pytest.raises(KeyOutOfUseError, match="rotate evidence"):
        keys.evidence_signer()


def test_a_key_is_published_before_its_first_use_and_once() -> None:
    keys.create_missing()
    signers = [keys.evidence_signer(), keys.evidence_signer()]
    assert {signer.keyid for signer in signers} == {PublicKey.objects.get().key_sha256}
    assert len(events("key.published")) == 1


def test_a_public_half_that_is_not_there_is_an_error_that_says_so(folder: Path, settings: Settings) -> None:
    settings.EVIDENCE_KEY_URI = f"file2:{folder / 'evidence.pem'}"
    with pytest.raises(KeyFileError, match=r"evidence\.pub\.pem"):
        keys.evidence_signer()


def test_a_key_behind_a_uri_signs_and_is_published(folder: Path, settings: Settings) -> None:
    key_files.generate_evidence_key(folder / "held.pem")
    held = EvidenceSigner.from_file(folder / "held.pem")
    settings.EVIDENCE_KEY_URI = f"file2:{folder / 'held.pem'}"
    settings.EVIDENCE_PUBLIC_KEY_PATH.write_bytes(held.public_key_pem)
    signer = keys.evidence_signer()
    assert dsse.verify_envelope(signer.sign(b"{}"), [held.public_key]) == b"{}"
    assert PublicKey.objects.get().text == held.public_key_pem.decode()


def test_an_hsm_without_a_pin_is_an_error_that_says_so(settings: Settings) -> None:
    settings.HSM_PIN = ""
    with pytest.raises(SignerError, match="EXPUNGE_HSM_PIN_FILE"):
        held_keys._read_secret("pin")
    settings.HSM_PIN = "1234"
    assert held_keys._read_secret("pin") == "1234"


# --- A new key for evidence --------------------------------------------------------------------------------------


def test_a_rotated_key_signs_at_once_and_the_old_one_stays_valid_for_the_overlap(folder: Path) -> None:
    keys.create_missing()
    old = keys.evidence_signer()
    old_file = (folder / "evidence.pem").read_bytes()
    before = datetime.now(tz=UTC).replace(microsecond=0)
    new = keys.rotate_evidence_key(timedelta(hours=2))
    assert keys.evidence_signer().keyid == new.key_sha256 != old.keyid
    assert (folder / f"evidence-{old.keyid[:12]}.pem").read_bytes() == old_file
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*.pem")} == {0o600}
    ends = PublicKey.objects.get(key_sha256=old.keyid).valid_until
    assert ends is not None
    assert before + timedelta(hours=2) <= ends <= datetime.now(tz=UTC) + timedelta(hours=2)
    assert PublicKey.objects.get(key_sha256=new.key_sha256).valid_until is None
    (retired,) = events("key.retired")
    assert retired.facts["key_sha256"] == old.keyid
    assert len(events("key.published")) == 2


def test_a_running_job_may_end_under_the_old_key(folder: Path) -> None:
    """A worker elsewhere that has the old file still."""
    keys.create_missing()
    old_file = (folder / "evidence.pem").read_bytes()
    keys.publish_evidence_key()
    keys.rotate_evidence_key(timedelta(hours=1))
    (folder / "evidence.pem").write_bytes(old_file)
    assert keys.evidence_signer().sign(b"{}")
    PublicKey.objects.exclude(valid_until=None).update(valid_until=datetime.now(tz=UTC))
    with pytest.raises(KeyOutOfUseError):
        keys.evidence_signer()


def test_a_lost_key_can_be_rotated_away(folder: Path) -> None:
    keys.create_missing([EVIDENCE])
    lost = keys.publish_evidence_key()
    (folder / "evidence.pem").rename(folder / "lost.pem")
    assert keys.rotate_evidence_key().key_sha256 == keys.evidence_signer().keyid != lost.key_sha256
    lost.refresh_from_db()
    assert lost.valid_until is not None


@pytest.mark.parametrize(
    "overlap", [timedelta(seconds=-1), keys.MAX_OVERLAP + timedelta(seconds=1), timedelta.max], ids=str
)
def test_an_overlap_that_is_none_is_refused_before_a_key_is_made(overlap: timedelta, folder: Path) -> None:
    with pytest.raises(ValueError, match="overlap"):
        keys.rotate_evidence_key(overlap)
    assert not list(folder.iterdir()) and not PublicKey.objects.exists()


def test_a_rotation_without_overlap_cuts_the_overlap_of_the_one_before_short() -> None:
    keys.create_missing([EVIDENCE])
    keys.publish_evidence_key()
    keys.rotate_evidence_key()
    keys.rotate_evidence_key(timedelta(0))
    ended = PublicKey.objects.exclude(valid_until=None).values_list("valid_until", flat=True)
    assert len(ended) == 2 and all(at is not None and at <= datetime.now(tz=UTC) for at in ended)


@pytest.mark.parametrize("end", ["retired", "distrusted"])
def test_a_waiting_key_that_is_out_of_use_does_not_take_over(end: str, folder: Path) -> None:
    keys.create_missing([EVIDENCE])
    old = keys.publish_evidence_key()
    shutil.copy(folder / "evidence.pem", folder / "evidence.next.pem")
    if end == "retired":
        retire_key(old.key_sha256, valid_until=datetime.now(tz=UTC) + timedelta(hours=1))
    else:
        distrust_key(old.key_sha256, distrusted_from=datetime.now(tz=UTC))
    with pytest.raises(KeyStateError, match="Move a file away"):
        keys.rotate_evidence_key()
    assert PublicKey.objects.count() == 1 and (folder / "evidence.next.pem").exists()


STEPS: dict[str, tuple[object, str]] = {
    "after the new file": (keys, "_take_over"),
    "after the new row": (waiting_keys, "promote"),
    "after the copy": (key_files, "take_place"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_rotation_that_was_cut_off_is_completed_by_the_next(
    step: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.create_missing([EVIDENCE])
    keys.publish_evidence_key()

    def cut_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(*STEPS[step], cut_off)
        keys.rotate_evidence_key()
    assert keys.evidence_signer()
    keys.rotate_evidence_key()
    assert PublicKey.objects.count() == 2
    assert PublicKey.objects.get(valid_until=None).key_sha256 == keys.evidence_signer().keyid
    assert len(list(folder.glob("*.pem"))) == 2
    assert len(events("key.retired")) == 1


def test_a_file_of_another_key_in_the_place_of_the_copy_stops_a_rotation(folder: Path) -> None:
    keys.create_missing([EVIDENCE])
    copy = folder / f"evidence-{keys.evidence_signer().keyid[:12]}.pem"
    copy.write_bytes(b"another key")
    with pytest.raises(KeyFileError, match="another key"):
        keys.rotate_evidence_key()
    assert copy.read_bytes() == b"another key"


def test_behind_a_uri_the_configured_key_takes_over_and_the_one_in_use_is_no_new_one(
    folder: Path, settings: Settings
) -> None:
    keys.create_missing([EVIDENCE])
    old = keys.publish_evidence_key()
    key_files.generate_evidence_key(folder / "held.pem")
    settings.EVIDENCE_KEY_URI = f"file2:{folder / 'held.pem'}"
    settings.EVIDENCE_PUBLIC_KEY_PATH.write_bytes(EvidenceSigner.from_file(folder / "held.pem").public_key_pem)
    new = keys.rotate_evidence_key()
    old.refresh_from_db()
    assert new.key_sha256 == keys.evidence_signer().keyid != old.key_sha256
    assert old.valid_until is not None
    with pytest.raises(KeyStateError, match="in use already"):
        keys.rotate_evidence_key()


# --- A new key for the log ---------------------------------------------------------------------------------------


def test_a_log_is_signed_to_its_end_by_the_old_key_and_the_next_one_by_the_new_key(folder: Path) -> None:
    keys.create_missing()
    keys.publish_evidence_key()
    first = run_ledger()
    old = signing.load_log_key(folder / "ledger.pem").public_key()
    sequence_batch()  # the entry that tells of the log's own key
    keys.begin_rotation_of_log_key()
    last = sign_checkpoint()
    assert (
        last is not None
        and last.log == first.log
        and checkpoint.is_same_signer(bytes(first.note), bytes(last.note), first.log.origin)
    )
    assert (folder / "ledger.next.pem").exists(), "the old key signs until the log has ended"
    begun = run_ledger()
    new = signing.load_log_key(folder / "ledger.pem").public_key()
    assert begun.log.number == 2
    assert checkpoint.open_note(bytes(begun.note), [checkpoint.vkey(begun.log.origin, new)]).size == begun.size
    assert old != new
    assert not (folder / "ledger.next.pem").exists()
    kept = folder / f"ledger-{dsse.public_key_sha256(old)[:12]}.pem"
    assert signing.load_log_key(kept).public_key() == old
    assert notes.vkey_of(bytes(begun.note)) == checkpoint.vkey(begun.log.origin, new)


def test_the_old_log_key_is_retired_when_the_new_one_signs(folder: Path) -> None:
    keys.create_missing()
    keys.publish_evidence_key()
    run_ledger()
    old = dsse.public_key_sha256(signing.load_log_key(folder / "ledger.pem").public_key())
    sequence_batch()
    keys.begin_rotation_of_log_key()
    sign_checkpoint()
    assert PublicKey.objects.get(key_sha256=old).valid_until is None
    run_ledger()
    assert PublicKey.objects.get(key_sha256=old).valid_until is not None
    assert [event.facts["key_sha256"] for event in events("key.retired")] == [old]


def test_a_year_that_ends_keeps_the_key_and_publishes_it_under_the_next_origin(folder: Path) -> None:
    keys.create_missing()
    keys.publish_evidence_key()
    run_ledger()
    sequence_batch()
    logs.freeze()
    sign_checkpoint()
    run_ledger()
    rows = PublicKey.objects.filter(purpose=CHECKPOINT)
    assert {checkpoint.parse_vkey(row.text).name for row in rows} == set(Log.objects.values_list("origin", flat=True))
    assert rows.count() == 2 and rows.values("key_sha256").distinct().count() == 1
    assert not events("key.retired")


def end_of_year() -> None:
    """The newest log ends without a rotation, and is signed to its end."""
    while sequence_batch():
        pass
    logs.freeze()
    while sign_checkpoint():
        pass


def begin_next() -> SignedCheckpoint | None:
    """An entry begins the next log, which is to be signed."""
    with transaction.atomic():
        record_event("model.registered", actor=SYSTEM, facts={"model": str(uuid.uuid4()), "family": "linear"})
    while sequence_batch():
        pass
    return sign_checkpoint()


def fingerprint(path: Path) -> str:
    return dsse.public_key_sha256(signing.load_log_key(path).public_key())


def test_a_log_does_not_begin_under_a_distrusted_key_but_under_the_one_that_a_rotation_lays_ready(folder: Path) -> None:
    keys.create_missing()
    keys.publish_evidence_key()
    run_ledger()
    distrusted = fingerprint(folder / "ledger.pem")
    distrust_key(distrusted, distrusted_from=datetime.now(tz=UTC))
    end_of_year()
    with pytest.raises(KeyOutOfUseError, match=r"distrusted.*rotate checkpoint"):
        begin_next()
    assert Log.objects.count() == 2 and not Log.objects.get(number=2).checkpoints.exists()
    assert keys.begin_rotation_of_log_key() is None, "a log that has no checkpoint begins with the new key"
    head = sign_checkpoint()
    assert head is not None and head.log.number == 2
    assert fingerprint(folder / "ledger.pem") != distrusted
    assert PublicKey.objects.get(text__startswith=f"{head.log.origin}+").distrusted_from is None


def test_a_log_does_not_begin_under_a_retired_key(folder: Path) -> None:
    keys.create_missing()
    keys.publish_evidence_key()
    first = run_ledger()
    retired = fingerprint(folder / "ledger.pem")
    with pytest.raises(KeyOutOfUseError, match="retired"):
        retire_key(retired, valid_until=datetime.now(tz=UTC))
        keys.refuse_key_for(Log(number=2, origin="expunge.local/ledger/2027", first_position=first.end), retired)
    keys.refuse_key_for(first.log, retired)


def test_behind_a_uri_the_log_after_a_rotation_waits_for_another_key(folder: Path, settings: Settings) -> None:
    for name in ("one", "two"):
        key_files.generate_log_key(folder / f"{name}.pem")
    use_behind_uri(folder / "one.pem", settings)
    keys.create_missing([EVIDENCE])
    keys.publish_evidence_key()
    run_ledger()
    log = keys.begin_rotation_of_log_key()
    assert log is not None and log.needs_other_key
    for _ in range(2):
        with pytest.raises(KeyOutOfUseError, match=r"same one again.*EXPUNGE_LEDGER_KEY_URI"):
            begin_next()
    use_behind_uri(folder / "two.pem", settings)
    head = sign_checkpoint()
    assert head is not None and head.log.number == 2
    assert PublicKey.objects.get(text__startswith=f"{head.log.origin}+").key_sha256 == fingerprint(folder / "two.pem")


def use_behind_uri(path: Path, settings: Settings) -> None:
    """The key in this file signs checkpoints, as one that is held elsewhere."""
    settings.LEDGER_KEY_URI = f"file2:{path}"
    settings.LEDGER_PUBLIC_KEY_PATH.write_bytes(dsse.public_key_pem(signing.load_log_key(path).public_key()))


def test_a_key_that_waits_without_a_rotation_does_not_take_over_when_a_year_ends(folder: Path) -> None:
    """The rotation that laid it ready was cut off before it ended the log."""
    keys.create_missing()
    keys.publish_evidence_key()
    run_ledger()
    key_files.generate_log_key(folder / "ledger.next.pem")
    before = (folder / "ledger.pem").read_bytes()
    end_of_year()
    assert begin_next() is not None
    assert (folder / "ledger.pem").read_bytes() == before


def test_a_rotation_after_the_end_of_a_year_is_not_forgotten(folder: Path) -> None:
    keys.create_missing()
    keys.publish_evidence_key()
    run_ledger()
    before = fingerprint(folder / "ledger.pem")
    end_of_year()
    assert keys.begin_rotation_of_log_key() == Log.objects.get()
    assert begin_next() is not None
    assert fingerprint(folder / "ledger.pem") != before


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time, and no such lock")
def test_a_rotation_waits_for_the_checkpointer_and_gives_up_with_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_LEAD_SECONDS", 0.2)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [int(leadership.Part.CHECKPOINTER)])
        with pytest.raises(KeyStateError, match="Nothing was rotated"):
            keys.begin_rotation_of_log_key()
    finally:
        other.close()
    assert not (folder / "ledger.next.pem").exists()
    keys.begin_rotation_of_log_key()
    assert (folder / "ledger.next.pem").exists()


def test_repeating_the_command_lays_no_second_key_ready(folder: Path) -> None:
    keys.create_missing()
    keys.begin_rotation_of_log_key()
    waiting = (folder / "ledger.next.pem").read_bytes()
    keys.begin_rotation_of_log_key()
    assert (folder / "ledger.next.pem").read_bytes() == waiting


def test_a_waiting_file_that_holds_no_log_key_does_not_take_over(folder: Path) -> None:
    keys.create_missing()
    keys.publish_evidence_key()
    before = (folder / "ledger.pem").read_bytes()
    key_files.generate_evidence_key(folder / "ledger.next.pem")
    sequence_batch()
    with pytest.raises(KeyFileError, match=r"ledger\.next\.pem"):
        sign_checkpoint()
    assert (folder / "ledger.pem").read_bytes() == before


def test_a_key_that_took_over_before_a_cut_off_signature_is_published_by_the_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.create_missing()
    keys.publish_evidence_key()
    sequence_batch()

    def remember(self: Guard, head: object) -> None:
        raise GuardError("full disk")

    with monkeypatch.context() as patched, pytest.raises(GuardError):
        patched.setattr(Guard, "remember", remember)
        sign_checkpoint()
    assert not PublicKey.objects.filter(purpose=CHECKPOINT).exists()
    head = sign_checkpoint()
    assert head is not None
    assert notes.vkey_of(bytes(head.note))


def test_the_key_of_a_head_that_was_remembered_but_not_stored_is_published(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.create_missing()
    keys.publish_evidence_key()
    sequence_batch()
    key = signing.load_log_key(folder / "ledger.pem")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(keys, "publish_log_key", fail)
        sign_checkpoint()
    assert not SignedCheckpoint.objects.exists()
    head = sign_checkpoint()
    assert head is not None
    assert notes.vkey_of(bytes(head.note)) == checkpoint.vkey(head.log.origin, key.public_key())


def test_a_log_key_behind_a_uri_signs_the_log(folder: Path, settings: Settings) -> None:
    keys.create_missing()
    keys.publish_evidence_key()
    key_files.generate_log_key(folder / "held.pem")
    held = signing.load_log_key(folder / "held.pem").public_key()
    settings.LEDGER_KEY_URI = f"file2:{folder / 'held.pem'}"
    settings.LEDGER_PUBLIC_KEY_PATH.write_bytes(dsse.public_key_pem(held))
    head = run_ledger()
    assert checkpoint.open_note(bytes(head.note), [checkpoint.vkey(head.log.origin, held)]).size == head.size


# --- What is in use here -----------------------------------------------------------------------------------------


Prepare = Callable[[Path, Settings], None]


def _no_file(folder: Path, settings: Settings) -> None:
    """Nothing."""


def _no_key(folder: Path, settings: Settings) -> None:
    (folder / "evidence.pem").write_bytes(b"no key")
    (folder / "ledger.pem").write_bytes(b"no key")


def _no_public_key(folder: Path, settings: Settings) -> None:
    settings.EVIDENCE_KEY_URI = settings.LEDGER_KEY_URI = "hv:expunge/1"
    settings.EVIDENCE_PUBLIC_KEY_PATH.write_bytes(b"no key")
    settings.LEDGER_PUBLIC_KEY_PATH.write_bytes(b"no key")


@pytest.mark.parametrize("prepare", [_no_file, _no_key, _no_public_key])
def test_a_key_that_cannot_be_read_is_unknown_and_no_error(prepare: Prepare, folder: Path, settings: Settings) -> None:
    prepare(folder, settings)
    assert [keys.public_key_sha256(purpose) for purpose in keys.PURPOSES] == [None, None]


def test_the_key_in_use_is_told_by_its_public_half_where_the_private_one_is_elsewhere(
    folder: Path, settings: Settings
) -> None:
    settings.EVIDENCE_KEY_URI = settings.LEDGER_KEY_URI = "hv:expunge/1"
    log_key = Ed25519PrivateKey.generate().public_key()
    key_files.generate_evidence_key(folder / "held.pem")
    evidence_key = EvidenceSigner.from_file(folder / "held.pem")
    settings.EVIDENCE_PUBLIC_KEY_PATH.write_bytes(evidence_key.public_key_pem)
    settings.LEDGER_PUBLIC_KEY_PATH.write_bytes(dsse.public_key_pem(log_key))
    assert keys.public_key_sha256(EVIDENCE) == evidence_key.keyid
    assert keys.public_key_sha256(CHECKPOINT) == dsse.public_key_sha256(log_key)
