"""Who is asked, what is kept of the answers, and that nobody who fails keeps the others waiting."""

import io
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from compliance.evidence import checkpoint, cosignature, timestamp, witness_policy
from compliance.evidence.rekord import parse_hashedrekord
from compliance.evidence.tile_files import LogFolder
from compliance.evidence.witness_policy import WitnessPolicy
from compliance.ledger import checkpointer, hold, leadership, leaf_check, logs, notes, outsiders, publisher, tokens
from compliance.ledger.leadership import AnotherLeadsError
from compliance.ledger.log_store import DirectoryStore
from compliance.ledger.models import (
    CheckpointTimestamp,
    Cosignature,
    EvidenceTimestamp,
    LedgerEntry,
    Outsider,
    SignedCheckpoint,
)
from compliance.ledger.publisher import Authority, Publisher, StampError
from compliance.requests.models import Evidence
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.evidence import stamping
from tests.compliance.ledger.growing import as_owner, grow_to, position_all, write
from tests.compliance.ledger.witnessed import RunningWitness, away, policy_of, running

pytestmark = pytest.mark.django_db
YEAR = datetime.now(tz=UTC).year
DPO = f"witness dpo.example of {YEAR}"
AWAY = f"witness away.example of {YEAR}"


class Stamping:
    """An authority in memory, whose tokens are genuine. It fails while `problem` says why."""

    def __init__(self) -> None:
        self.problem = ""
        self.n_asked = 0
        self.age = timedelta(0)
        self._authority = stamping.new_authority()

    def stamp(self, data: bytes) -> tuple[bytes, datetime]:
        self.n_asked += 1
        if self.problem:
            raise StampError(self.problem)
        at = datetime.now(tz=UTC).replace(microsecond=0) - self.age
        return self._authority.stamp(data, at), at

    def verified_at(self, token: bytes, data: bytes) -> datetime | None:
        return tokens.verified_at(token, data, [self._authority.pems])

    def assert_token(self, token: bytes | memoryview, data: bytes) -> None:
        assert timestamp.verify(bytes(token), data, self._authority.pems) <= datetime.now(tz=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "published"


@pytest.fixture
def witnesses(tmp_path: Path) -> Iterator[list[RunningWitness]]:
    with ExitStack() as stack:
        names = ("dpo.example", "auditor.example")
        yield [stack.enter_context(running(tmp_path / name, name)) for name in names]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for pause in ("FIRST_PAUSE", "LONGEST_PAUSE", "ALARM_PAUSE", "SUCCESS_PAUSE"):
        monkeypatch.setattr(outsiders, pause, timedelta(0))


def publisher_to(folder: Path, policy: WitnessPolicy | None = None, authority: Authority | None = None) -> Publisher:
    return Publisher(DirectoryStore(folder), policy, authority)


def published_note(folder: Path, head: SignedCheckpoint) -> bytes:
    return LogFolder(folder / head.log.origin.rpartition("/")[2]).checkpoint()


def state_of(name: str) -> Outsider:
    return Outsider.objects.get(name=name)


def test_a_witness_that_holds_more_than_was_ever_signed_raises_the_alarm(
    folder: Path, witnesses: list[RunningWitness], caplog: pytest.LogCaptureFixture
) -> None:
    """What a witness sees after an old backup was restored."""
    head = grow_to(10)
    for witness in witnesses:
        witness.watch(head)
    assert witnesses[0].show(head.log, 11, bytes(32)).status == 200
    publisher_to(folder, policy_of(*witnesses)).publish()
    row = state_of(DPO)
    assert row.is_alarm and "cosigned 11 entries" in row.problem and "10 were signed here" in row.problem
    assert [record.levelno for record in caplog.records if "FORK ALARM" in record.message] == [logging.CRITICAL]
    assert list(Cosignature.objects.values_list("witness", flat=True)) == ["auditor.example"], "the other one goes on"
    assert b"auditor.example" in published_note(folder, head)


@pytest.mark.parametrize("size", [10, 7])
def test_a_witness_that_holds_another_history_raises_the_alarm(
    folder: Path, witnesses: list[RunningWitness], size: int
) -> None:
    head = grow_to(10)
    witnesses[0].watch(head)
    assert witnesses[0].show(head.log, size, bytes(32)).status == 200
    publisher_to(folder, policy_of(witnesses[0])).publish()
    assert state_of(DPO).is_alarm
    assert not Cosignature.objects.exists()


def test_an_alarm_stays_until_the_same_witness_agrees(folder: Path, witnesses: list[RunningWitness]) -> None:
    head = grow_to(10)
    outsiders.raised_alarm(DPO, "It holds another history.")
    runs = publisher_to(folder, policy_of(witnesses[0]))
    runs.publish()
    row = state_of(DPO)
    assert row.is_alarm and row.problem == "It holds another history.", "it refuses a log that it does not know"
    witnesses[0].watch(head)
    runs.publish()
    row = state_of(DPO)
    assert not row.is_alarm and row.problem == "" and row.succeeded_at is not None


def test_a_witness_that_does_not_know_the_log_says_what_to_do(folder: Path, witnesses: list[RunningWitness]) -> None:
    grow_to(3)
    publisher_to(folder, policy_of(witnesses[0])).publish()
    row = state_of(DPO)
    assert "vkey" in row.problem and row.failing_since is not None and not row.is_alarm


def test_a_witness_that_is_away_is_asked_later_and_keeps_nobody_waiting(
    folder: Path, witnesses: list[RunningWitness], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outsiders, "FIRST_PAUSE", timedelta(seconds=2))
    monkeypatch.setattr(outsiders, "LONGEST_PAUSE", timedelta(seconds=5))
    head = grow_to(3)
    witnesses[0].watch(head)
    runs = publisher_to(folder, policy_of(witnesses[0], away("away.example")))
    runs.publish()
    assert b"dpo.example" in published_note(folder, head)
    pauses = []
    for _ in range(3):
        row = state_of(AWAY)
        assert row.next_try_at is not None
        pauses.append(round((row.next_try_at - datetime.now(tz=UTC)).total_seconds()))
        runs.publish()
        assert state_of(AWAY).n_failures == row.n_failures, "its pause is not over"
        Outsider.objects.filter(name=row.name).update(next_try_at=datetime.now(tz=UTC))
        runs.publish()
    assert pauses == [2, 4, 5]


def test_a_storage_that_fails_does_not_stop_the_witnesses(folder: Path, witnesses: list[RunningWitness]) -> None:
    folder.write_text("a file")
    head = grow_to(3)
    witnesses[0].watch(head)
    authority = Stamping()
    runs = publisher_to(folder, policy_of(witnesses[0]), authority)
    runs.publish()
    assert Cosignature.objects.count() == CheckpointTimestamp.objects.count() == 1
    assert "cannot be" in state_of(publisher.STORAGE).problem
    folder.unlink()
    runs.publish()
    assert b"dpo.example" in published_note(folder, head)
    assert state_of(publisher.STORAGE).problem == ""


def test_files_of_another_history_are_an_alarm(folder: Path) -> None:
    head = grow_to(3)
    runs = publisher_to(folder)
    runs.publish()
    path = folder / head.log.origin.rpartition("/")[2] / "checkpoint"
    path.write_bytes(path.read_bytes().replace(b"\n3\n", b"\n2\n"))
    grow_to(4)
    runs.publish()
    row = state_of(publisher.STORAGE)
    assert row.is_alarm and "Was a backup restored" in row.problem


def test_every_witness_cosigns_every_new_head_and_the_note_carries_their_lines(
    folder: Path, witnesses: list[RunningWitness]
) -> None:
    policy = policy_of(*witnesses, threshold=2)
    runs = publisher_to(folder, policy)
    for size in (5, 300, 301):
        head = grow_to(size)
        for witness in witnesses:
            witness.watch(head)
        runs.publish()
        note = published_note(folder, head)
        assert checkpoint.split_note(note)[0] == checkpoint.split_note(bytes(head.note))[0]
        assert policy.missing(cosignature.verify(note, policy.witness_vkeys())) is None
        assert head.cosignatures.count() == 2
    assert {row.problem for row in Outsider.objects.all()} == {""}


def test_a_witness_whose_cosignatures_were_lost_here_is_asked_again_from_its_size(
    folder: Path, witnesses: list[RunningWitness]
) -> None:
    head = grow_to(5)
    witnesses[0].watch(head)
    publisher_to(folder, policy_of(witnesses[0])).publish()
    with as_owner():
        Cosignature.objects.all().delete()
    head = grow_to(9)
    publisher_to(folder, policy_of(witnesses[0])).publish()
    assert Cosignature.objects.get().checkpoint_id == head.end
    assert state_of(DPO).problem == ""


def test_a_witness_that_has_seen_a_newer_head_of_ours_is_no_alarm(
    folder: Path, witnesses: list[RunningWitness], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second publisher asked in between."""
    old, new = grow_to(5), grow_to(9)
    witnesses[0].watch(new)
    policy = policy_of(witnesses[0])
    publisher_to(folder, policy).publish()
    monkeypatch.setattr(logs, "last_checkpoint", lambda log: old)
    publisher_to(folder, policy).publish()
    monkeypatch.undo()
    assert list(Cosignature.objects.values_list("checkpoint_id", flat=True)) == [new.end]


def test_a_witness_without_an_address_is_not_asked(folder: Path, witnesses: list[RunningWitness]) -> None:
    grow_to(3)
    named = witness_policy.Witness(witnesses[0].name, witnesses[0].vkey)
    publisher_to(folder, policy_of(named)).publish()
    assert list(Outsider.objects.values_list("name", flat=True)) == [publisher.STORAGE]


def test_the_last_head_of_a_log_is_witnessed_although_the_next_one_has_begun(
    folder: Path, witnesses: list[RunningWitness]
) -> None:
    last = grow_to(5)
    logs.freeze()
    write(2)
    position_all()
    head = grow_to(8)
    assert head.log_id == last.log_id + 1
    for each in (last, head):
        witnesses[0].watch(each)
    publisher_to(folder, policy_of(witnesses[0])).publish()
    for each in (last, head):
        assert b"dpo.example" in published_note(folder, each)


def test_a_witness_that_does_not_know_an_old_log_cosigns_the_new_one(
    folder: Path, witnesses: list[RunningWitness]
) -> None:
    grow_to(5)
    logs.freeze()
    write(2)
    position_all()
    head = grow_to(8)
    witnesses[0].watch(head)
    runs = publisher_to(folder, policy_of(witnesses[0]))
    for size in (9, 10):
        head = grow_to(size)
        runs.publish()
        assert b"dpo.example" in published_note(folder, head)
    assert "vkey" in state_of(DPO).problem
    assert state_of(f"{DPO}-2").problem == ""


def test_a_head_that_everybody_signed_is_left_alone(folder: Path) -> None:
    head = grow_to(3)
    runs = publisher_to(folder)
    runs.publish()
    (folder / head.log.origin.rpartition("/")[2] / "checkpoint").unlink()
    runs.publish()
    assert not (folder / head.log.origin.rpartition("/")[2] / "checkpoint").exists()
    runs.publish(is_whole=True)
    assert published_note(folder, head) == bytes(head.note)


def test_a_checkpoint_is_stamped_once_and_at_most_one_a_minute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Stamping()
    runs = publisher_to(folder, authority=authority)
    first = grow_to(3)
    runs.publish()
    runs.publish()
    token = CheckpointTimestamp.objects.get().token
    authority.assert_token(token, bytes(first.note))
    assert (folder / first.log.origin.rpartition("/")[2] / "checkpoint.tsr").read_bytes() == bytes(token)
    second = grow_to(4)
    runs.publish()
    assert CheckpointTimestamp.objects.count() == 1, "a minute has not passed"
    monkeypatch.setattr(publisher, "CHECKPOINT_STAMP_PAUSE", timedelta(0))
    runs.publish()
    assert set(CheckpointTimestamp.objects.values_list("checkpoint", flat=True)) == {first.end, second.end}
    assert authority.n_asked == 2


def test_an_authority_that_fails_is_told_and_the_log_is_published(folder: Path) -> None:
    authority = Stamping()
    authority.problem = "The authority gave no answer."
    head = grow_to(3)
    runs = publisher_to(folder, authority=authority)
    runs.publish()
    assert published_note(folder, head) == bytes(head.note)
    assert state_of(publisher.AUTHORITY).problem == "The authority gave no answer."
    authority.problem = ""
    runs.publish()
    assert CheckpointTimestamp.objects.count() == 1


def with_evidence() -> LedgerEntry:
    """A request with one piece of evidence, whose entry this is."""
    cast.model_of("spam-filter", cast.ALICE)
    cast.brought_to(RequestState.SIGNOFF)
    cast.run_ledger()
    return LedgerEntry.objects.get(kind="evidence")


def log_folder(folder: Path, head: SignedCheckpoint) -> Path:
    return folder / head.log.origin.rpartition("/")[2]


def test_a_row_that_is_no_token_does_not_keep_the_real_one_away(folder: Path) -> None:
    entry, head = with_evidence(), checkpointer.latest()
    assert head is not None
    now, authority, stranger = datetime.now(tz=UTC), Stamping(), Stamping()
    for at in (now, now + timedelta(days=3650)):
        for token in (b"x", stranger.stamp(bytes(head.note))[0]):
            CheckpointTimestamp.objects.create(checkpoint=head, token=token, stamped_at=at)
            EvidenceTimestamp.objects.create(leaf_sha256=entry.leaf_sha256, token=token, stamped_at=at)
    publisher_to(folder, authority=authority).publish()
    assert authority.n_asked == 2
    authority.assert_token((log_folder(folder, head) / "checkpoint.tsr").read_bytes(), bytes(head.note))
    stored = EvidenceTimestamp.objects.filter(leaf_sha256=entry.leaf_sha256).latest("pk")
    authority.assert_token(stored.token, parse_hashedrekord(bytes(entry.leaf)).signature)
    publisher_to(folder, authority=authority).publish()
    assert authority.n_asked == 2, "what a new process finds verifies"


def test_a_copy_of_an_old_token_in_a_row_that_calls_it_new_holds_nothing_back(folder: Path) -> None:
    authority = Stamping()
    head = grow_to(3)
    authority.age = timedelta(hours=1)
    token, _ = authority.stamp(bytes(head.note))
    authority.age = timedelta(0)
    CheckpointTimestamp.objects.create(checkpoint=head, token=token, stamped_at=datetime.now(tz=UTC))
    second = grow_to(4)
    publisher_to(folder, authority=authority).publish()
    assert (log_folder(folder, second) / "checkpoint.tsr").exists()


@pytest.mark.parametrize("name", ["dpo.example", "Anna Example <anna@example.org>", "network.example"])
def test_a_row_that_is_no_cosignature_is_not_published_and_keeps_nobody_away(
    folder: Path, witnesses: list[RunningWitness], name: str
) -> None:
    head = grow_to(3)
    witnesses[0].watch(head)
    forged = cosignature.cosign(
        bytes(head.note), "dpo.example", Ed25519PrivateKey.generate(), datetime(2026, 1, 1, tzinfo=UTC)
    )
    for line in (b"Anna Example, 1 Main Street\n", b"\xff", forged):
        Cosignature.objects.create(checkpoint=head, witness=name, line=line, cosigned_at=datetime.now(tz=UTC))
    publisher_to(folder, policy_of(witnesses[0])).publish()
    note = published_note(folder, head)
    (real,) = cosignature.cosignatures(note, witnesses[0].vkey)
    assert note == bytes(head.note) + real.line
    assert state_of(DPO).problem == ""


def test_text_beside_a_real_cosignature_is_not_published(folder: Path, witnesses: list[RunningWitness]) -> None:
    head = grow_to(3)
    witnesses[0].watch(head)
    policy = policy_of(witnesses[0])
    publisher_to(folder, policy).publish()
    real = bytes(Cosignature.objects.get().line)
    with as_owner():
        Cosignature.objects.all().delete()
    for line in (real + b"Anna Example\n", b"Anna Example\n" + real, real + real):
        Cosignature.objects.create(checkpoint=head, witness="dpo.example", line=line, cosigned_at=datetime.now(tz=UTC))
    assert notes.cosigned_under(head, policy) == bytes(head.note)


def test_all_signed_evidence_is_stamped_over_its_signature(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "STAMPS_PER_ROUND", 1)
    for name in ("spam-filter", "recommender"):
        cast.model_of(name, cast.ALICE)
    cast.brought_to(RequestState.SIGNOFF)
    cast.run_ledger()
    authority = Stamping()
    runs = publisher_to(folder, authority=authority)
    assert runs.publish(), "one of the two waits"
    assert EvidenceTimestamp.objects.count() == 1
    assert not runs.publish()
    for evidence in Evidence.objects.all():
        entry = LedgerEntry.objects.get(leaf_sha256=evidence.leaf_sha256)
        token = EvidenceTimestamp.objects.get(leaf_sha256=evidence.leaf_sha256).token
        authority.assert_token(token, parse_hashedrekord(bytes(entry.leaf)).signature)
    n_asked = authority.n_asked
    runs.publish()
    assert authority.n_asked == n_asked


def test_evidence_that_cannot_be_read_does_not_stop_the_rest(folder: Path) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    cast.brought_to(RequestState.SIGNOFF)
    cast.run_ledger()
    with as_owner():
        leaf_check.remove(connection)
        LedgerEntry.objects.filter(event_type="request.received").update(kind="evidence")
        leaf_check.install(connection)
    runs = publisher_to(folder, authority=Stamping())
    runs.publish()
    assert EvidenceTimestamp.objects.count() == Evidence.objects.count() == 1


def test_what_is_not_configured_any_more_is_forgotten(folder: Path, witnesses: list[RunningWitness]) -> None:
    grow_to(3)
    for name in (DPO, AWAY, publisher.AUTHORITY, publisher.STORAGE):
        outsiders.failed(name, "It is away.")
    publisher_to(folder, policy_of(witnesses[0])).forget_former_outsiders()
    assert set(Outsider.objects.values_list("name", flat=True)) == {DPO, publisher.STORAGE}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="on SQLite every writer waits for the one before it")
@pytest.mark.django_db(transaction=True)
def test_only_one_publisher_publishes(folder: Path) -> None:
    head = grow_to(3)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [int(leadership.Part.PUBLISHER)])
    with pytest.raises(AnotherLeadsError):
        publisher_to(folder).publish()
    assert not folder.exists()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [int(leadership.Part.PUBLISHER)])
    other.close()
    publisher_to(folder).publish()
    assert published_note(folder, head) == bytes(head.note)


def call(*arguments: str) -> str:
    errors = io.StringIO()
    call_command("publisher", *arguments, stderr=errors)
    return errors.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "cannot be read", id="no file"),
        pytest.param(b"\xff\n", "Line 1", id="no text"),
        pytest.param(b"quorum\n", "Line 1", id="no policy"),
    ],
)
def test_the_command_refuses_a_policy_that_it_cannot_read(
    settings: Settings, tmp_path: Path, content: bytes | None, message: str
) -> None:
    settings.WITNESS_POLICY_PATH = tmp_path / "policy"
    if content is not None:
        settings.WITNESS_POLICY_PATH.write_bytes(content)
    with pytest.raises(CommandError, match=message):
        call("--once")


def test_the_command_refuses_a_storage_that_is_not_installed(settings: Settings) -> None:
    settings.LOG_DIR = "nosuch://bucket"
    with pytest.raises(CommandError, match="object-store"):
        call("--once")


def test_the_command_ends_with_another_code_for_a_failure_and_for_a_fork(settings: Settings, tmp_path: Path) -> None:
    settings.LOG_DIR = str(tmp_path / "published")
    head = grow_to(3)
    settings.WITNESS_POLICY_PATH = tmp_path / "policy"
    settings.WITNESS_POLICY_PATH.write_text(witness_policy.write(policy_of(away("away.example"))))
    with pytest.raises(CommandError, match=r"witness away\.example of \d+: ") as refusal:
        call("--once")
    assert refusal.value.returncode == 1
    path = tmp_path / "published" / head.log.origin.rpartition("/")[2] / "checkpoint"
    path.write_bytes(path.read_bytes().replace(b"\n3\n", b"\n2\n"))
    with pytest.raises(CommandError, match="published log: ") as refusal:
        call("--once")
    assert refusal.value.returncode == 3


def test_the_command_says_that_the_ledger_is_held_and_publishes_what_is_signed(
    settings: Settings, tmp_path: Path
) -> None:
    settings.LOG_DIR = str(tmp_path / "published")
    head = grow_to(3)
    hold.begin("The guard is missing.")
    assert call("--once") == "The ledger is held, entries get no positions. The guard is missing.\n"
    assert published_note(tmp_path / "published", head) == bytes(head.note)


def test_the_command_publishes_what_is_signed_and_stops(settings: Settings, tmp_path: Path) -> None:
    settings.LOG_DIR = str(tmp_path / "published")
    head = grow_to(3)
    assert call("--once") == ""
    assert published_note(tmp_path / "published", head) == bytes(head.note)
    (tmp_path / "published" / head.log.origin.rpartition("/")[2] / "tile/0/000.p/3").unlink()
    call("--once", "--whole")
    assert (tmp_path / "published" / head.log.origin.rpartition("/")[2] / "tile/0/000.p/3").exists()
