"""The auditor's command: exit codes, sentences and JSON are its interface; scripts and people rely on them."""

import inspect
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, checkpoint, errors, signing
from compliance.evidence.__main__ import exit_code_table, main
from compliance.evidence.container import MAX_ARCHIVE_BYTES
from compliance.evidence.errors import EvidenceError, ExitCode

from .archive import replaced
from .export_story import lay_out
from .ledgers import ORIGIN
from .story import Story, new_signer

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, EvidenceError)]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process; returns exit code, stdout and stderr."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def path(genuine: bytes, tmp_path: Path) -> Path:
    file = tmp_path / "request.zip"
    file.write_bytes(genuine)
    return file


@pytest.fixture
def keys(story: Story, signer: signing.EvidenceSigner, tmp_path: Path) -> list[str | Path]:
    """The options with the genuine keys, each in a file."""
    (tmp_path / "log.vkey").write_text(checkpoint.vkey(ORIGIN, story.log_key.public_key()) + "\n")
    (tmp_path / "evidence.pem").write_bytes(signer.public_key_pem)
    return ["--log-vkey", tmp_path / "log.vkey", "--evidence-key", tmp_path / "evidence.pem"]


def damaged(path: Path) -> Path:
    other = path.with_name("damaged.zip")
    other.write_bytes(replaced(path.read_bytes(), "policy.json", lambda content: content.replace(b"0.1", b"0.2")))
    return other


# --- Refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [[], ["check"], ["verify"], ["verify", "a", "b"], ["verify", "a", "--quick"]], ids=repr
)
def test_a_wrong_command_line_ends_with_the_code_for_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == ExitCode.USAGE
    assert "usage:" in capsys.readouterr().err


def test_a_file_that_is_missing_is_unreadable(run: Run, tmp_path: Path) -> None:
    for unreadable in (tmp_path / "none.zip", tmp_path / ("x" * 300)):
        code, out, err = run("verify", unreadable)
        assert (code, out) == (ExitCode.UNREADABLE, "")
        assert "cannot be read" in err


def test_a_folder_that_is_no_export_is_refused(run: Run, tmp_path: Path) -> None:
    code, out, err = run("verify", tmp_path)
    assert (code, out) == (ExitCode.MISSING_FILE, "")
    assert "export.json" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
def test_a_file_without_permission_is_unreadable(run: Run, path: Path) -> None:
    path.chmod(0)
    assert run("verify", path)[0] == ExitCode.UNREADABLE
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def test_a_file_beyond_the_limit_is_refused_without_being_read_whole(run: Run, tmp_path: Path) -> None:
    with (tmp_path / "huge.zip").open("wb") as file:
        file.truncate(MAX_ARCHIVE_BYTES + 1)
    assert run("verify", tmp_path / "huge.zip")[0] == ExitCode.TOO_LARGE


@pytest.mark.parametrize(
    ("option", "content", "code"),
    [
        pytest.param("--log-vkey", b"", ExitCode.UNREADABLE, id="an empty vkey file"),
        pytest.param("--log-vkey", b"\xff\xfe", ExitCode.UNREADABLE, id="a vkey file that is no text"),
        pytest.param("--log-vkey", b"key", ExitCode.UNREADABLE, id="a vkey file with no vkey"),
        pytest.param("--evidence-key", b"", ExitCode.UNREADABLE, id="an empty key file"),
        pytest.param("--evidence-key", b"key", ExitCode.UNREADABLE, id="a key file with no key"),
    ],
)
def test_a_pinned_key_that_is_none_trusts_nobody(
    option: str, content: bytes, code: ExitCode, run: Run, path: Path, tmp_path: Path
) -> None:
    (tmp_path / "key").write_bytes(content)
    assert run("verify", path, option, tmp_path / "key")[0] == code


def test_a_pinned_key_file_that_is_missing_is_unreadable(run: Run, path: Path, tmp_path: Path) -> None:
    for option in ("--log-vkey", "--evidence-key"):
        assert run("verify", path, option, tmp_path / "none")[0] == ExitCode.UNREADABLE


def test_a_pinned_line_that_is_too_long_for_a_file_name_is_no_vkey(run: Run, path: Path) -> None:
    assert run("verify", path, "--log-vkey", "a+b+" + "c" * 5000)[0] == ExitCode.CHECKPOINT_KEY


def test_other_keys_than_the_pinned_ones_are_refused(run: Run, path: Path, tmp_path: Path) -> None:
    stranger = Story(log_key=Ed25519PrivateKey.generate(), signer=new_signer(), steps=())
    vkey = checkpoint.vkey(ORIGIN, stranger.log_key.public_key())
    (tmp_path / "other.pem").write_bytes(stranger.signer.public_key_pem)
    assert run("verify", path, "--log-vkey", vkey)[0] == ExitCode.CHECKPOINT_KEY
    assert run("verify", path, "--evidence-key", tmp_path / "other.pem")[0] == ExitCode.EVIDENCE_KEY


def test_a_refusal_is_told_in_three_sentences_and_a_code(run: Run, path: Path) -> None:
    code, out, err = run("verify", damaged(path))
    lines = err.splitlines()
    assert (code, out) == (ExitCode.POLICY_MISMATCH, "")
    assert lines[0].startswith("NOT VERIFIED: the policy shown is not the one that was recorded")
    assert "policy.json has the digest" in lines[1]
    assert lines[2] == EvidenceError.remedy
    assert lines[3] == "(exit code 52, policy_mismatch)"


STEERING = "\x1b[2J\x1b[1;1H\u202e\x9b1m\r\nVERIFIED. All is well.\x07"


def test_no_name_in_a_refusal_steers_the_terminal_or_makes_a_line_of_its_own(
    run: Run, export_files: dict[str, bytes], tmp_path: Path
) -> None:
    folder = lay_out({**export_files, STEERING: b""}, tmp_path / "export")
    code, out, err = run("verify", folder)
    assert (code, out) == (ExitCode.UNEXPECTED_FILE, "")
    assert len(err.splitlines()) == 4
    assert err.replace("\n", "").isprintable()
    assert r"\x1b[2J\x1b[1;1H\u202e\x9b1m\r\nVERIFIED. All is well.\x07" in err


def test_no_path_of_the_caller_steers_the_terminal(run: Run, tmp_path: Path) -> None:
    code, _, err = run("verify", tmp_path / STEERING)
    assert (code, err.replace("\n", "").isprintable()) == (ExitCode.UNREADABLE, True)


def test_a_refusal_in_json_says_the_same_on_stdout(run: Run, path: Path) -> None:
    code, out, err = run("verify", damaged(path), "--json")
    refusal = json.loads(out)
    assert (code, err) == (ExitCode.POLICY_MISMATCH, "")
    assert refusal["verified"] is False
    assert (refusal["code"], refusal["name"]) == (52, "policy_mismatch")
    assert all(refusal[part] for part in ("meaning", "message", "remedy"))


# --- Exit codes --------------------------------------------------------------------------------------------------


def test_every_kind_of_error_has_an_exit_code_of_its_own() -> None:
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(KINDS)
    assert set(codes) == set(ExitCode) - {ExitCode.VERIFIED, ExitCode.USAGE}


def test_every_kind_of_error_has_a_meaning_of_its_own_and_a_remedy() -> None:
    assert len({kind.meaning for kind in KINDS}) == len(KINDS)
    assert all(kind.remedy.endswith(".") and not kind.meaning.endswith(".") for kind in KINDS)


def test_exit_codes_never_change() -> None:
    """Scripts branch on them. A number may be added here, and none removed or given to another meaning."""
    assert {code.name: int(code) for code in ExitCode} == {
        "VERIFIED": 0,
        "UNEXPECTED_ERROR": 1,
        "USAGE": 2,
        "UNREADABLE": 3,
        "NOT_A_BUNDLE": 10,
        "TOO_LARGE": 11,
        "UNSAFE_MEMBER": 12,
        "MISSING_FILE": 13,
        "UNEXPECTED_FILE": 14,
        "MALFORMED_FILE": 15,
        "TRUST_FILE": 16,
        "CHECKPOINT_MALFORMED": 20,
        "CHECKPOINT_SIGNATURE": 21,
        "CHECKPOINT_KEY": 22,
        "ENTRY_CHANGED": 23,
        "PROOF_CHANGED": 24,
        "CHECKPOINT_UNWITNESSED": 25,
        "CONSISTENCY": 26,
        "LOG_CONTENT": 27,
        "LOG_SUCCESSION": 28,
        "LEAF_SCHEMA": 30,
        "CHAIN_BROKEN": 31,
        "OPENING_MISMATCH": 32,
        "ACTOR_ROLE": 33,
        "EVIDENCE_MALFORMED": 40,
        "EVIDENCE_PAYLOAD": 41,
        "EVIDENCE_SIGNATURE": 42,
        "EVIDENCE_KEY": 43,
        "TIMESTAMP": 44,
        "KEY_NOT_VALID": 45,
        "SIGSTORE_MALFORMED": 46,
        "SWAPPED_REQUEST": 50,
        "SWAPPED_MODEL": 51,
        "POLICY_MISMATCH": 52,
        "POLICY_AFTER_RUN": 53,
        "CHALLENGE_MISMATCH": 54,
        "FINDINGS_MISMATCH": 55,
        "JOB_MISMATCH": 56,
        "SCOPE_MISMATCH": 57,
        "COMPLETION_MISMATCH": 60,
        "SAME_SIGNER": 61,
        "CLOSING_STATEMENT": 62,
    }


def test_the_help_lists_every_code_with_its_name_and_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["verify", "--help"])
    help_text = capsys.readouterr().out
    assert caught.value.code == 0
    assert [code for code, _, _ in exit_code_table()] == sorted(ExitCode)
    for code, name, meaning in exit_code_table():
        assert f"  {code:>3}  {name:<22} {meaning}\n" in f"{help_text}\n"


# --- What is verified --------------------------------------------------------------------------------------------


def test_a_genuine_bundle_under_pinned_keys_is_verified_without_a_warning(
    run: Run, path: Path, keys: list[str | Path]
) -> None:
    code, out, err = run("verify", path, *keys)
    assert (code, err) == (ExitCode.VERIFIED, "")
    assert out.startswith("VERIFIED. Request ")
    assert out.count("(yours)") == 2
    assert "WARNING" not in out


def test_a_genuine_bundle_under_its_own_keys_is_verified_with_a_warning(run: Run, path: Path) -> None:
    code, out, _ = run("verify", path)
    assert code == ExitCode.VERIFIED
    assert out.count("(from the bundle: COMPARE)") == 2
    assert "Anyone can make a bundle with keys of their own." in out


def test_one_pinned_key_of_two_still_warns(run: Run, path: Path, keys: list[str | Path]) -> None:
    for pinned in (keys[:2], keys[2:]):
        code, out, _ = run("verify", path, *pinned)
        assert code == ExitCode.VERIFIED
        assert (out.count("(yours)"), "WARNING" in out) == (1, True)


def test_a_vkey_can_be_given_as_a_line_and_keys_more_than_once(
    run: Run, story: Story, path: Path, keys: list[str | Path], tmp_path: Path
) -> None:
    other = new_signer()
    (tmp_path / "other.pem").write_bytes(other.public_key_pem)
    line = checkpoint.vkey(ORIGIN, story.log_key.public_key())
    stranger = checkpoint.vkey(ORIGIN, Ed25519PrivateKey.generate().public_key())
    pinned = ["--log-vkey", stranger, "--log-vkey", line, "--evidence-key", tmp_path / "other.pem", *keys[2:]]
    code, out, _ = run("verify", path, *pinned)
    assert (code, out.count("(yours)")) == (ExitCode.VERIFIED, 2)


def test_the_report_in_json_has_every_part(run: Run, path: Path, keys: list[str | Path], story: Story) -> None:
    code, out, err = run("verify", path, "--json", *keys)
    report: dict[str, Any] = json.loads(out)
    assert (code, err) == (ExitCode.VERIFIED, "")
    assert (report["verified"], report["code"], report["state"]) == (True, 0, "completed")
    assert report["request"] == story.contents().request
    assert (report["is_log_key_pinned"], report["is_evidence_key_pinned"]) == (True, True)
    assert len(report["steps"]) == 13
    assert report["left_to_caller"]


def test_an_open_request_without_evidence_warns_of_the_ledger_key_alone(
    run: Run, story: Story, signer: signing.EvidenceSigner, tmp_path: Path, keys: list[str | Path]
) -> None:
    opened = Story(log_key=story.log_key, signer=signer, steps=("receive",))
    (tmp_path / "open.zip").write_bytes(bundle.write(opened.contents()))
    code, out, _ = run("verify", tmp_path / "open.zip", *keys[:2])
    assert (code, "WARNING" in out) == (ExitCode.VERIFIED, False)
    assert "in progress" in out


def test_a_terminal_without_the_characters_of_the_report_still_gets_it(path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "compliance.evidence", "verify", str(path)]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, timeout=120)
    assert done.returncode == ExitCode.VERIFIED, done.stderr
    assert done.stdout.isascii()


def test_a_reader_of_the_first_line_alone_changes_nothing(path: Path) -> None:
    script = f"set -o pipefail; {sys.executable} -m compliance.evidence verify {path} | head -n 1"
    done = subprocess.run(["bash", "-c", script], check=False, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (ExitCode.VERIFIED, "")
    assert done.stdout.startswith("CONSISTENT")
