"""`python -m ml_core`: what it prints, what it returns, and that it runs where there is no Django."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ml_core.__main__ import ExitCode, main
from ml_core.registry import discover
from tests.ml_core.broken_plugins import AUDIT, METHOD

ROOT = Path(__file__).parents[2]


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A folder with an honest method and one that does not touch what it says."""
    (tmp_path / "methods").mkdir()
    (tmp_path / "methods" / "honest.py").write_text(METHOD.source(), encoding="utf-8")
    liar = METHOD.broken("return dataclasses.replace(honest(model, data, run), touched=())")
    (tmp_path / "methods" / "liar.py").write_text(liar.source(), encoding="utf-8")
    return tmp_path


def test_exit_codes_are_those_of_the_help() -> None:
    assert [(code.name, code.value) for code in ExitCode] == [("DONE", 0), ("FAILED", 1), ("MISUSED", 2)]


def test_an_unknown_name_is_refused_with_the_names_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "amnesia"]) == ExitCode.MISUSED
    printed = capsys.readouterr()
    assert printed.out == ""
    catalogue = discover()
    assert printed.err.startswith("There is no plug-in called 'amnesia'. There are: ")
    assert all(name in printed.err for name in (*catalogue.methods, *catalogue.audits, *catalogue.families))


@pytest.mark.parametrize("device", ["cuda:99", "abacus", "meta"])
def test_a_device_that_is_not_here_is_refused(capsys: pytest.CaptureFixture[str], device: str) -> None:
    assert main(["check", "acu", "--device", device]) == ExitCode.MISUSED
    assert capsys.readouterr().err == f"Expected a device of this machine, cpu or cuda, found {device!r}.\n"


@pytest.mark.parametrize("arguments", [[], ["forget"], ["list", "--yaml"], ["check", "acu", "mia_loss"]])
def test_a_wrong_call_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == ExitCode.MISUSED
    assert "usage: python -m ml_core" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["list", "check"])
def test_a_broken_file_refuses_the_catalogue(tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "audits").mkdir()
    (tmp_path / "audits" / "broken.py").write_text("raise RuntimeError", encoding="utf-8")
    assert main([command, "--plugins", str(tmp_path)]) == ExitCode.FAILED
    assert "audits/broken.py: importing it failed" in capsys.readouterr().err


def test_a_failed_check_is_a_line_and_the_exit_code(plugins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "liar", "--plugins", str(plugins)]) == ExitCode.FAILED
    lines = capsys.readouterr().out.splitlines()
    failed = [line for line in lines if line.startswith("FAILED")]
    assert len(failed) == 1
    assert failed[0].startswith("FAILED  method[liar-touched_is_what_changed]: on analytic_classifier: it reports []")
    assert lines[-1] == f"{len(lines) - 1} checks, 1 failed"


def test_checks_of_one_plug_in_leave_the_others_out(plugins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "honest", "--plugins", str(plugins)]) == ExitCode.DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{len(lines) - 1} checks, 0 failed"
    assert all(line.startswith("ok      method[honest-") for line in lines[:-1])


def test_every_plug_in_is_checked_when_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == ExitCode.DONE
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("ok      method[acu-exact_equals_retraining]") for line in lines)
    assert any(line.startswith("ok      audit[mia_loss-") for line in lines)
    assert any(line.startswith("ok      family[analytic_classifier-") for line in lines)


def test_an_exemption_is_printed_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "audits").mkdir()
    body = 'return dataclasses.replace(honest(before, after, data, config, run), version="other")'
    source = AUDIT.broken(body).source(exempt={"finding_is_json_and_names_nobody": "signs for its elder sister"})
    (tmp_path / "audits" / "younger.py").write_text(source, encoding="utf-8")
    assert main(["check", "younger", "--plugins", str(tmp_path)]) == ExitCode.DONE
    line = "exempt  audit[younger-finding_is_json_and_names_nobody]: signs for its elder sister"
    assert line in capsys.readouterr().out.splitlines()


def test_the_list_has_a_row_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == ExitCode.DONE
    printed = capsys.readouterr().out
    rows = [line.split()[:2] for line in printed.splitlines() if not line.startswith(" ")]
    catalogue = discover()
    assert rows[0] == ["KIND", "NAME"]
    assert sorted(map(tuple, rows[1:])) == sorted(
        [("method", name) for name in catalogue.methods]
        + [("audit", name) for name in catalogue.audits]
        + [("family", name) for name in catalogue.families]
    )
    assert "exact" in printed
    assert "reference_model" in printed
    assert "Cost: one pass over the forget records" in printed
    assert max(map(len, printed.splitlines())) <= 120


def test_the_list_as_json_holds_the_cards(plugins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json", "--plugins", str(plugins)]) == ExitCode.DONE
    documents = {document["name"]: document for document in json.loads(capsys.readouterr().out)}
    catalogue = discover([plugins])
    for card in catalogue.cards():
        assert documents.pop(card.name) == json.loads(json.dumps(card.to_dict()))
    assert {name: document["kind"] for name, document in documents.items()} == dict.fromkeys(
        catalogue.families, "family"
    )


def test_it_runs_alone_and_without_django(tmp_path: Path) -> None:
    (tmp_path / "django").mkdir()
    (tmp_path / "django" / "__init__.py").write_text("raise ImportError('ml_core asked for Django')", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-W", "error", "-m", "ml_core", "check", "retrain_equality"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    assert "checks, 0 failed" in done.stdout


def test_help_explains_the_words_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    assert "exit codes:" in printed
    assert "byte for byte" in printed
