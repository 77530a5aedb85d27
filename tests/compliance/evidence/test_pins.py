"""What the caller trusts: one trust file with its fingerprint, or single keys; never both, and never half of it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from compliance.evidence import checkpoint, signing, trust
from compliance.evidence.__main__ import main
from compliance.evidence.errors import ExitCode
from compliance.evidence.trust import Trust

from .export_story import ExportStory, fingerprint, lay_out, trust_of
from .story import Story

Verify = Callable[..., tuple[int, str]]


@pytest.fixture
def trusted(story: Story, signer: signing.EvidenceSigner) -> Trust:
    return trust_of(story.ledger, signer)


@pytest.fixture
def trust_path(trusted: Trust, tmp_path: Path) -> Path:
    path = tmp_path / "trust.json"
    path.write_bytes(trust.write(trusted))
    return path


@pytest.fixture
def verify(genuine: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Verify:
    """Verify the genuine bundle with these options; returns the code and all that was said."""
    (tmp_path / "request.zip").write_bytes(genuine)

    def call(*options: str | Path) -> tuple[int, str]:
        code = main(["verify", str(tmp_path / "request.zip"), *map(str, options)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return call


@pytest.fixture
def key_options(trusted: Trust, signer: signing.EvidenceSigner, tmp_path: Path) -> list[str]:
    (tmp_path / "evidence.pem").write_bytes(signer.public_key_pem)
    return ["--log-vkey", trusted.log_vkeys[0], "--evidence-key", str(tmp_path / "evidence.pem")]


# --- Refusals -------------------------------------------------------------------------------------------------------


def test_a_trust_file_with_another_fingerprint_is_refused(verify: Verify, trust_path: Path) -> None:
    for told in ("0" * 64, "", "none", trust.fingerprint(b"another file")):
        code, said = verify("--trust", trust_path, "--trust-sha256", told)
        assert code == ExitCode.TRUST_FILE
        assert trust.fingerprint(trust_path.read_bytes()) in said


def test_a_fingerprint_without_a_file_is_refused(verify: Verify) -> None:
    """It would look as if something was pinned."""
    assert verify("--trust-sha256", "0" * 64)[0] == ExitCode.UNREADABLE


def test_a_trust_file_and_single_keys_contradict_each_other(
    verify: Verify, trust_path: Path, key_options: list[str]
) -> None:
    for keys in (key_options, key_options[:2], key_options[2:]):
        code, said = verify("--trust", trust_path, *keys)
        assert code == ExitCode.UNREADABLE
        assert "not both" in said


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"\xff", id="no UTF-8"),
    ],
)
def test_what_is_no_trust_file_is_refused(content: bytes, verify: Verify, tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_bytes(content)
    assert verify("--trust", tmp_path / "trust.json")[0] == ExitCode.TRUST_FILE


def test_a_trust_file_that_is_missing_or_a_folder_is_unreadable(verify: Verify, tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        assert verify("--trust", path)[0] == ExitCode.UNREADABLE


def test_a_trust_file_that_trusts_nobody_verifies_nothing(verify: Verify, trusted: Trust, tmp_path: Path) -> None:
    for changes, code in (
        ({"log_vkeys": ()}, ExitCode.CHECKPOINT_KEY),
        ({"evidence_keys": ()}, ExitCode.EVIDENCE_KEY),
    ):
        path = tmp_path / "nobody.json"
        path.write_bytes(trust.write(Trust(**{**vars(trusted), **changes})))
        assert verify("--trust", path)[0] == code


def test_one_kind_of_key_alone_pins_no_export(
    exported: ExportStory,
    export_files: dict[str, bytes],
    signer: signing.EvidenceSigner,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = str(lay_out(export_files, tmp_path / "export"))
    (tmp_path / "evidence.pem").write_bytes(signer.public_key_pem)
    vkeys = [option for vkey in exported.trust.log_vkeys for option in ("--log-vkey", vkey)]
    key = ["--evidence-key", str(tmp_path / "evidence.pem")]
    assert main(["verify", folder, *vkeys]) == ExitCode.UNREADABLE
    assert main(["verify", folder, *key]) == ExitCode.UNREADABLE
    capsys.readouterr()
    assert main(["verify", folder, *vkeys, *key]) == ExitCode.VERIFIED
    # Single keys ask for no witnesses, and the report says so.
    assert "UNWITNESSED" in capsys.readouterr().out


# --- Pinned ---------------------------------------------------------------------------------------------------------


def test_a_trust_file_pins_both_kinds_of_key(verify: Verify, trust_path: Path) -> None:
    code, said = verify("--trust", trust_path)
    assert code == ExitCode.VERIFIED
    assert said.startswith("VERIFIED. Request ")
    assert (said.count("(yours)"), "WARNING" in said) == (2, False)


def test_a_fingerprint_may_be_given_in_capitals(verify: Verify, trust_path: Path) -> None:
    told = trust.fingerprint(trust_path.read_bytes())
    assert verify("--trust", trust_path, "--trust-sha256", told)[0] == ExitCode.VERIFIED
    assert verify("--trust", trust_path, "--trust-sha256", told.upper())[0] == ExitCode.VERIFIED


def test_a_vkey_in_a_file_is_read_with_its_newline(
    verify: Verify, story: Story, key_options: list[str], tmp_path: Path
) -> None:
    vkey = checkpoint.vkey("ledger.example/test", story.log_key.public_key())
    (tmp_path / "log.vkey").write_text(f"{vkey}\n")
    assert verify("--log-vkey", tmp_path / "log.vkey", *key_options[2:])[0] == ExitCode.VERIFIED


def test_an_export_under_the_pinned_file_is_told_in_json(
    exported: ExportStory, export_files: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = lay_out(export_files, tmp_path / "export")
    pinned = ["--trust", str(folder / "trust.json"), "--trust-sha256", fingerprint(exported)]
    assert main(["verify", str(folder), *pinned, "--processes", "1", "--json"]) == ExitCode.VERIFIED
    report = json.loads(capsys.readouterr().out)
    assert (report["verified"], report["is_pinned"], report["is_witnessed"]) == (True, True, True)
    assert len(report["requests"]) == 97
    assert len(report["steps"]) == 8


@pytest.mark.parametrize("n_processes", ["0", "-1", "two", "1.5", "٢", "257", "100000", "9" * 5000])
def test_a_number_of_processes_that_is_none_is_a_wrong_command_line(
    n_processes: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["verify", str(tmp_path), "--processes", n_processes])
    assert caught.value.code == ExitCode.USAGE
    assert "whole number above 0" in capsys.readouterr().err
