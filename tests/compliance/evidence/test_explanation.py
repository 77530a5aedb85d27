"""One request's story, entry by entry: only what verifies is told, each entry with its place and its proof."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, explanation, signing, trust
from compliance.evidence.__main__ import main
from compliance.evidence.errors import (
    ChainError,
    PolicyMismatchError,
    SwappedRequestError,
    UnexpectedFileError,
    UnwitnessedError,
)
from compliance.evidence.pins import Pins
from compliance.evidence.tables import story_table

from .archive import replaced
from .export_edits import told as told_in_export
from .export_story import ExportStory, lay_out
from .registered import RegisteredLedger, RegisteredStory
from .story import REQUEST, STEPS, Story, some_id

UNPINNED = Pins(None, None, None)
FIRST, SECOND, WITHHELD = (some_id(1 + 1000 * number) for number in (1, 2, 3))


@pytest.fixture(scope="module")
def folder(export_files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(export_files, tmp_path_factory.mktemp("export"))


# --- Refusals -------------------------------------------------------------------------------------------------------


def test_another_request_than_the_bundles_is_not_told(genuine: bytes) -> None:
    with pytest.raises(SwappedRequestError, match=some_id(99)):
        explanation.of_bundle(genuine, some_id(99), UNPINNED)


def test_a_bundle_that_does_not_verify_is_not_told(genuine: bytes) -> None:
    damaged = replaced(genuine, "policy.json", lambda content: content.replace(b"0.1", b"0.2"))
    with pytest.raises(PolicyMismatchError):
        explanation.of_bundle(damaged, REQUEST, UNPINNED)


@pytest.mark.parametrize(
    ("request_id", "known"),
    [
        pytest.param(WITHHELD, "its entries are in the log", id="withheld"),
        pytest.param(some_id(99), "no entry names it", id="unknown"),
        pytest.param("../..", "no entry names it", id="a path"),
    ],
)
def test_a_request_that_was_not_disclosed_is_not_told(
    request_id: str, known: str, exported: ExportStory, folder: Path
) -> None:
    with pytest.raises(UnexpectedFileError, match=known):
        explanation.of_export(folder, request_id, exported.trust)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(("receive", "refuse"), id="not shredded"),
        pytest.param((*STEPS[:5], "withdraw", "shred"), id="planned"),
        pytest.param((*STEPS, "shred"), id="with evidence"),
    ],
)
def test_a_request_of_which_more_than_entries_was_there_is_not_told_without_it(
    steps: tuple[str, ...], log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    ledger = RegisteredLedger(log_key)
    story = RegisteredStory(log_key=log_key, signer=signer, ledger=ledger, number=4, steps=steps)
    export = told_in_export(ledger, signer=signer)
    with pytest.raises(UnexpectedFileError, match="its entries are in the log"):
        explanation.of_export(lay_out(export.files(), tmp_path), story.request_id, export.trust)


def test_an_export_whose_logs_do_not_verify_is_not_told(
    exported: ExportStory, export_files: dict[str, bytes], tmp_path: Path
) -> None:
    unseen = export_files | {"logs/2027/checkpoint": exported.ledger.logs[2].note()}
    with pytest.raises(UnwitnessedError):
        explanation.of_export(lay_out(unseen, tmp_path), FIRST, exported.trust)


def test_a_request_is_not_told_when_another_one_of_the_export_is_wrong(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    """What `verify` refuses is not VERIFIED here."""
    ledger = RegisteredLedger(log_key)
    sound = RegisteredStory(log_key=log_key, signer=signer, ledger=ledger, number=3)
    Story(log_key=log_key, signer=signer, ledger=ledger, number=4, steps=("receive", "withdraw", "withdraw"))
    export = told_in_export(ledger, sound, signer=signer)
    with pytest.raises(ChainError, match=some_id(4001)):
        explanation.of_export(lay_out(export.files(), tmp_path), sound.request_id, export.trust)


def test_a_request_is_not_told_out_of_an_export_with_a_file_that_nothing_accounts_for(
    exported: ExportStory, export_files: dict[str, bytes], tmp_path: Path
) -> None:
    folder = lay_out(export_files | {"models/evil.sh": b"x"}, tmp_path)
    with pytest.raises(UnexpectedFileError, match=r"evil\.sh"):
        explanation.of_export(folder, FIRST, exported.trust)


# --- What is told ---------------------------------------------------------------------------------------------------


def test_every_entry_of_the_bundle_is_told_in_its_order(story: Story, genuine: bytes) -> None:
    told = explanation.of_bundle(genuine, REQUEST, UNPINNED)
    entries = story.contents().entries
    assert [line.position for line in told.entries] == [str(entry.position) for entry in entries]
    assert (told.state, told.is_pinned) == ("completed", False)
    assert told.entries[0].what.startswith("request.received by subject")
    assert "regulation: gdpr" in told.entries[0].facts
    signed = [line for line in told.entries if line.at is None]
    assert len(signed) == 4
    assert all("a statement signed by the evidence key" in line.what for line in signed)
    assert all("time not proven" in line.what for line in signed)
    assert all("proven under the head of ledger.example/test over 316 entries" in line.proof for line in told.entries)


def test_a_bundle_under_pinned_keys_is_told_without_a_warning(
    story: Story, genuine: bytes, signer: signing.EvidenceSigner
) -> None:
    vkeys = [log.vkey for log in story.ledger.logs.values()]
    table = story_table(explanation.of_bundle(genuine, REQUEST, Pins(None, vkeys, [signer.public_key])))
    assert table.startswith("VERIFIED. Request ")
    assert "WARNING" not in table
    for pins in (UNPINNED, Pins(None, vkeys, None), Pins(None, None, [signer.public_key])):
        table = story_table(explanation.of_bundle(genuine, REQUEST, pins))
        assert table.startswith("CONSISTENT, UNDER KEYS THAT YOU STILL HAVE TO COMPARE.")
        assert "WARNING" in table


def test_a_request_of_two_logs_is_told_from_both(exported: ExportStory, folder: Path) -> None:
    told = explanation.of_export(folder, FIRST, exported.trust)
    assert told.is_pinned
    assert {line.position.rpartition(" ")[2] for line in told.entries} == {"1", "2"}
    origins = {line.proof.split(" over ")[0] for line in told.entries}
    assert origins == {f"proven under the head of {log.origin}" for log in exported.ledger.logs.values()}
    table = story_table(told)
    assert "cosigned by witness0.example, witness1.example" in table
    assert all(line.leaf_sha256[:16] in table for line in told.entries)


def test_a_shredded_request_is_told_to_its_end(exported: ExportStory, folder: Path) -> None:
    told = explanation.of_export(folder, SECOND, exported.trust)
    assert any(line.what.startswith("request.shredded by system") for line in told.entries)
    assert any("cannot be shown" in line for line in told.conclusions)


@pytest.mark.parametrize("steps", [("receive", "refuse", "shred"), (*STEPS[:4], "withdraw", "shred")])
def test_a_request_of_which_nothing_but_entries_is_left_is_told_from_them(
    steps: tuple[str, ...], log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    ledger = RegisteredLedger(log_key)
    story = RegisteredStory(log_key=log_key, signer=signer, ledger=ledger, number=4, steps=steps)
    export = told_in_export(ledger, story, signer=signer)
    assert not any(name.startswith("requests/") for name in export.files())
    told = explanation.of_export(lay_out(export.files(), tmp_path), story.request_id, export.trust)
    assert [line.what.split()[0] for line in told.entries][-1] == "request.shredded"
    assert any("cannot be shown" in line for line in told.conclusions)


def test_bundle_and_export_tell_the_same_story(exported: ExportStory, folder: Path) -> None:
    of_export = explanation.of_export(folder, FIRST, exported.trust)
    data = bundle.write(exported.disclosed[0].contents())
    of_bundle = explanation.of_bundle(data, FIRST, Pins(exported.trust, None, None))
    assert of_export == of_bundle


def test_lists_and_nothing_are_told_in_words(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> None:
    class UnconcernedStory(Story):
        def new_parts(self) -> tuple[()]:
            return ()

    story = UnconcernedStory(log_key=log_key, signer=signer, steps=(*STEPS[:5], "complete"))
    told = explanation.of_bundle(bundle.write(story.contents()), REQUEST, UNPINNED)
    assert "evidence: none" in told.entries[-1].facts
    assert any(fact.startswith("n_targets: 0") for line in told.entries for fact in line.facts)


# --- The command ----------------------------------------------------------------------------------------------------


def test_the_command_tells_a_story_in_words_and_in_json(
    exported: ExportStory, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "trust.json").write_bytes(trust.write(exported.trust))
    arguments = ["explain", str(folder), FIRST, "--trust", str(tmp_path / "trust.json")]
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith(f"VERIFIED. Request {FIRST}: completed.")
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verified"], told["request"], told["is_pinned"]) == (True, FIRST, True)
    assert len(told["entries"]) == 16


def test_the_command_refuses_with_the_code_of_what_is_wrong(
    folder: Path, genuine: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "request.zip").write_bytes(genuine)
    assert main(["explain", str(folder), WITHHELD]) == 14
    assert main(["explain", str(tmp_path / "request.zip"), FIRST]) == 50
    assert main(["explain", str(tmp_path / "none"), FIRST]) == 3
    assert "NOT VERIFIED" in capsys.readouterr().err
