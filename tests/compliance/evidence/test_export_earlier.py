"""Older heads in an export: what witnesses saw before a key was distrusted still counts after it."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import checkpoint, dsse, signing
from compliance.evidence.bundle import BundleContents
from compliance.evidence.errors import ExitCode
from compliance.evidence.record import AttachedEvidence
from compliance.evidence.trust import EvidenceKey
from compliance.evidence.verify_export import verify_export

from .export_edits import Files, code_of_export
from .export_story import VALID_FROM, ExportStory, lay_out, policy_of, refuse_others, trust_of
from .ledgers import Cosigner, GrowingLog
from .registered import RegisteredLedger, RegisteredStory
from .stamping import Authority, new_authority

MAY, AUGUST, SEPTEMBER = (datetime(2026, month, 1, 13, tzinfo=UTC) for month in (5, 8, 9))
EARLIER = "logs/2026/earlier"


@dataclasses.dataclass
class Told:
    """An export whose newest head was cosigned after the key was distrusted, and the head that was before."""

    export: ExportStory
    size: int
    before: Cosigner
    authority: Authority

    @property
    def log(self) -> GrowingLog:
        return self.export.ledger.logs[1]

    def note(self, size: int | None = None) -> bytes:
        """An older head as it was cosigned in May."""
        return self.log.note([self.before], size=self.size if size is None else size)

    def files(self, **notes: bytes) -> Files:
        return self.export.files() | {f"{EARLIER}/{name}": note for name, note in notes.items()}


@pytest.fixture(scope="module")
def told(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> Told:
    """One request of May: signed and stamped then; the key is distrusted from August on."""
    authority, key = new_authority(), Ed25519PrivateKey.generate()
    late, early = (Cosigner("witness.example", key, at) for at in (SEPTEMBER, MAY))

    class StampedStory(RegisteredStory):
        def contents(self) -> BundleContents:
            contents = super().contents()
            evidence, closings = (tuple(map(stamped, held)) for held in (contents.evidence, contents.closings))
            return dataclasses.replace(contents, evidence=evidence, closings=closings)

    def stamped(attached: AttachedEvidence) -> AttachedEvidence:
        token = authority.stamp(dsse.parse_envelope(attached.envelope).signature, MAY)
        return dataclasses.replace(attached, timestamps=(token,))

    ledger = RegisteredLedger(log_key, [late])
    refuse_others(ledger, 2)
    story = StampedStory(log_key=log_key, signer=signer, ledger=ledger, number=4)
    size = len(ledger.last.leaves)
    refuse_others(ledger, 2)
    trust = dataclasses.replace(
        trust_of(ledger, policy=policy_of([late], 1)),
        evidence_keys=(EvidenceKey.of(signer.public_key, VALID_FROM, None, AUGUST),),
        timestamp_authorities=(authority.pems,),
    )
    return Told(ExportStory(ledger, (story,), trust), size, early, authority)


def test_the_newest_head_alone_comes_too_late_for_a_distrusted_key(told: Told, tmp_path: Path) -> None:
    assert code_of_export(lay_out(told.files(), tmp_path), told.export.trust) is ExitCode.KEY_NOT_VALID


def test_a_head_that_was_cosigned_before_shows_that_the_evidence_is_older(told: Told, tmp_path: Path) -> None:
    files = told.files(**{f"{told.size}.checkpoint": told.note()})
    report = verify_export(lay_out(files, tmp_path), trust=told.export.trust)
    assert report.n_earlier_heads == 1
    assert "1 older head" in report.steps[2].detail


def test_a_head_that_does_not_cover_the_evidence_shows_nothing_of_it(told: Told, tmp_path: Path) -> None:
    files = told.files(**{"3.checkpoint": told.note(3)})
    assert code_of_export(lay_out(files, tmp_path), told.export.trust) is ExitCode.KEY_NOT_VALID


def test_a_head_that_was_cosigned_after_shows_nothing(told: Told, tmp_path: Path) -> None:
    late = told.log.note(told.export.ledger.cosigners, size=told.size)
    files = told.files(**{f"{told.size}.checkpoint": late})
    assert code_of_export(lay_out(files, tmp_path), told.export.trust) is ExitCode.KEY_NOT_VALID


def other_root(told: Told) -> bytes:
    head = dataclasses.replace(told.log.head(told.size), root=bytes(32))
    return told.before.cosigned(checkpoint.sign(head, head.origin, told.log.key))


def other_key(told: Told) -> bytes:
    return told.before.cosigned(
        checkpoint.sign(told.log.head(told.size), told.log.origin, Ed25519PrivateKey.generate())
    )


FORGED: dict[str, tuple[str, Callable[[Told], bytes], ExitCode]] = {
    "of another history": ("{size}.checkpoint", other_root, ExitCode.CONSISTENCY),
    "signed by another key": ("{size}.checkpoint", other_key, ExitCode.CHECKPOINT_KEY),
    "cosigned by nobody": (
        "{size}.checkpoint",
        lambda told: told.log.note(size=told.size),
        ExitCode.CHECKPOINT_UNWITNESSED,
    ),
    "cosigned by another witness": (
        "{size}.checkpoint",
        lambda told: told.log.note([Cosigner("witness.example")], size=told.size),
        ExitCode.CHECKPOINT_UNWITNESSED,
    ),
    "no checkpoint": ("{size}.checkpoint", lambda told: b"", ExitCode.CHECKPOINT_MALFORMED),
    "of another size than its name": ("3.checkpoint", lambda told: told.note(), ExitCode.UNEXPECTED_FILE),
    "with its size in another spelling": ("0{size}.checkpoint", lambda told: told.note(), ExitCode.UNEXPECTED_FILE),
    "under another name": ("{size}.note", lambda told: told.note(), ExitCode.UNEXPECTED_FILE),
    "in a folder of its own": ("more/{size}.checkpoint", lambda told: told.note(), ExitCode.UNEXPECTED_FILE),
    "of size zero": ("0.checkpoint", lambda told: told.note(0), ExitCode.UNEXPECTED_FILE),
    "of the newest size": (
        "{newest}.checkpoint",
        lambda told: told.note(len(told.log.leaves)),
        ExitCode.UNEXPECTED_FILE,
    ),
    "beyond the newest": ("{beyond}.checkpoint", lambda told: told.note(), ExitCode.UNEXPECTED_FILE),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_file_in_the_place_of_an_older_head_that_is_none_is_refused(name: str, told: Told, tmp_path: Path) -> None:
    pattern, note, code = FORGED[name]
    newest = len(told.log.leaves)
    file = pattern.format(size=told.size, newest=newest, beyond=newest + 1)
    assert code_of_export(lay_out(told.files(**{file: note(told)}), tmp_path), told.export.trust) is code


def test_a_file_in_the_place_of_the_folder_is_refused(told: Told, tmp_path: Path) -> None:
    files = told.export.files() | {EARLIER: b"x"}
    assert code_of_export(lay_out(files, tmp_path), told.export.trust) is ExitCode.UNEXPECTED_FILE


def test_another_logs_head_is_refused(told: Told, tmp_path: Path) -> None:
    other = GrowingLog(1, "ledger.example/other", told.log.key)
    other.append(told.log.leaves)
    files = told.files(**{f"{told.size}.checkpoint": other.note([told.before], size=told.size)})
    assert code_of_export(lay_out(files, tmp_path), told.export.trust) is ExitCode.CHECKPOINT_KEY
