"""`manage.py keys`: what an operator types, what comes back, and what is refused with a sentence."""

import io
import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from compliance.evidence import trust
from compliance.ledger import keys, notes
from compliance.ledger.models import (
    PendingEntry,
    PublicKey,
)
from tests.compliance.ledger.key_cast import (
    run,
    sign_ledger,
    signed_evidence,
    state,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    """A key folder and a guard of this test alone."""
    settings.EVIDENCE_KEY_PATH = tmp_path / "evidence.pem"
    settings.LEDGER_KEY_PATH = tmp_path / "ledger.pem"
    settings.CHECKPOINT_GUARD_PATH = tmp_path / "guard"
    return tmp_path


# --- What is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param([], "required: VERB", id="no verb"),
        pytest.param(["destroy"], "invalid choice", id="another verb"),
        pytest.param(["create", "vault"], "invalid choice", id="another purpose"),
        pytest.param(["rotate"], "required: purpose", id="to rotate nothing"),
        pytest.param(["rotate", "all"], "invalid choice", id="to rotate everything at once"),
        pytest.param(["rotate", "evidence", "--overlap-hours", "-1"], "0 to 8760", id="an overlap before now"),
        pytest.param(["rotate", "evidence", "--overlap-hours", "8761"], "0 to 8760", id="an overlap beyond a year"),
        pytest.param(["rotate", "evidence", "--overlap-hours", "9" * 14], "0 to 8760", id="an overlap beyond all time"),
        pytest.param(["rotate", "evidence", "--overlap-hours", "1.5"], "invalid int", id="an overlap of half hours"),
        pytest.param(["rotate", "checkpoint", "--overlap-hours", "1"], "evidence key", id="an overlap of logs"),
        pytest.param(["distrust", "ab" * 32], "required: --from", id="distrust without a moment"),
        pytest.param(["distrust", "ab" * 32, "--from", "2026-05-01"], "2026-05-01T12:00:00Z", id="a day as a moment"),
        pytest.param(["distrust", "ab" * 32, "--from", "2026-05-01T12:00:00Z"], "found 0", id="an unknown key"),
        pytest.param(["distrust", "ab", "--from", "2026-05-01T12:00:00Z"], "at least 8", id="hardly a fingerprint"),
        pytest.param(["distrust", "%" * 8, "--from", "2026-05-01T12:00:00Z"], "found 0", id="signs of a pattern"),
        pytest.param(["trust-file"], "not published yet", id="a trust file without keys"),
        pytest.param(["trust-file", "--out", ""], "must name a file", id="a trust file without a name"),
        pytest.param(["trust-file", "--out", "/"], "must name a file", id="the root as a trust file"),
        pytest.param(["trust-file", "--out", ".."], "must name a file", id="a folder as a trust file"),
    ],
)
@pytest.mark.parametrize("is_in_use", [False, True], ids=["before the first key", "in use"])
def test_it_refuses(arguments: list[str], sentence: str, is_in_use: bool, folder: Path) -> None:
    if is_in_use:
        run("create")
        sign_ledger()
        if sentence == "not published yet":
            return
    before = state(folder)
    with pytest.raises(CommandError, match=re.escape(sentence)):
        run(*arguments)
    assert state(folder) == before


@pytest.mark.parametrize(
    ("since", "sentence"),
    [
        pytest.param("2999-01-01T00:00:00Z", "has passed", id="a moment to come"),
        pytest.param("9999-12-31T23:59:59Z", "has passed", id="the end of time"),
        pytest.param("1999-12-31T23:59:59Z", "2000-01-01", id="a moment before all keys"),
        pytest.param("0001-01-01T00:00:00Z", "2000-01-01", id="the beginning of time"),
        pytest.param("2026-02-30T00:00:00Z", "2026-05-01T12:00:00Z", id="a day that no month has"),
        pytest.param("tomorrow", "2026-05-01T12:00:00Z", id="a word"),
        pytest.param("", "2026-05-01T12:00:00Z", id="nothing"),
    ],
)
def test_it_refuses_to_distrust_from(since: str, sentence: str, folder: Path) -> None:
    run("create")
    before = state(folder)
    with pytest.raises(CommandError, match=re.escape(sentence)):
        run("distrust", keys.evidence_signer().keyid, "--from", since)
    assert state(folder) == before


@pytest.mark.parametrize("setting", ["WITNESS_POLICY_PATH", "TSA_CERTIFICATES_PATH"])
def test_nothing_is_distrusted_while_it_cannot_be_told_what_must_run_again(
    setting: str, folder: Path, settings: Settings
) -> None:
    run("create")
    setattr(settings, setting, folder / "none")
    before = state(folder)
    with pytest.raises(CommandError, match="cannot be read"):
        run("distrust", keys.evidence_signer().keyid, "--from", "2026-05-01T12:00:00Z")
    assert state(folder) == before


@pytest.mark.parametrize("name", ["evidence", "ledger"])
def test_create_refuses_a_file_that_holds_no_key_and_makes_no_other(name: str, folder: Path) -> None:
    (folder / f"{name}.pem").touch(0o600)
    before = state(folder)
    with pytest.raises(CommandError, match=rf"{name}\.pem should hold"):
        run("create")
    assert state(folder) == before


@pytest.mark.parametrize("purpose", ["evidence", "checkpoint"])
def test_a_waiting_file_that_holds_no_key_stops_a_rotation_before_anything_changes(purpose: str, folder: Path) -> None:
    run("create")
    sign_ledger()
    waiting = folder / ("evidence.next.pem" if purpose == "evidence" else "ledger.next.pem")
    waiting.touch(0o600)
    before = state(folder)
    with pytest.raises(CommandError, match="Move a file away"):
        run("rotate", purpose)
    assert state(folder) == before
    waiting.unlink()
    assert run("rotate", purpose)


def test_a_waiting_key_that_signed_a_log_already_stops_a_rotation(folder: Path) -> None:
    run("create")
    sign_ledger()
    shutil.copy(folder / "ledger.pem", folder / "ledger.next.pem")
    before = state(folder)
    with pytest.raises(CommandError, match="signed a log already"):
        run("rotate", "checkpoint")
    assert state(folder) == before


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
    head = sign_ledger()
    assert f"vkey {notes.vkey_of(bytes(head.note))}\n" in run("list")


def test_rotating_the_checkpoint_key_tells_what_happens_next(folder: Path) -> None:
    assert "No log has to end first" in run("rotate", "checkpoint")
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


# --- distrust and trust-file ---


def test_distrust_names_what_must_be_run_again() -> None:
    run("create")
    entry = signed_evidence()
    key_sha256 = PublicKey.objects.get(purpose="evidence").key_sha256
    since = (datetime.now(tz=UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    said = run("distrust", key_sha256[:12], "--from", since)
    assert f"request {entry.request_id}, evidence {entry.leaf_sha256} (position {entry.position})" in said
    assert "on this key alone: 1." in said
    assert run("distrust", key_sha256, "--from", since) == said, "repeated, it lists them again"
    assert PendingEntry.objects.filter(event_type="key.distrusted").count() == 1
    with pytest.raises(CommandError, match="already"):
        run("distrust", key_sha256, "--from", datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def test_a_distrusted_checkpoint_key_must_be_rotated() -> None:
    run("create")
    sign_ledger()
    key_sha256 = PublicKey.objects.get(purpose="checkpoint").key_sha256
    assert "rotate checkpoint" in run("distrust", key_sha256, "--from", "2026-05-01T12:00:00Z")


def test_a_trust_file_can_be_piped_out_of_a_container() -> None:
    run("create")
    sign_ledger()
    out, error = io.StringIO(), io.StringIO()
    call_command("keys", "trust-file", "--out", "-", stdout=out, stderr=error)
    data = out.getvalue().encode()
    assert trust.parse(data).evidence_keys
    assert trust.fingerprint(data) in error.getvalue()


def test_a_trust_file_in_a_folder_that_is_missing_is_an_error(folder: Path) -> None:
    run("create")
    sign_ledger()
    with pytest.raises(CommandError, match="No such file"):
        run("trust-file", "--out", str(folder / "none" / "trust.json"))


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
