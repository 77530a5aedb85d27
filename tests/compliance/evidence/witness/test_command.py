"""The commands as an operator types them."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from compliance.evidence import cosignature, witness_client, witness_policy
from compliance.evidence.errors import ExitCode
from compliance.evidence.witness import command
from compliance.evidence.witness.cosigner import Cosigner
from compliance.evidence.witness.store import State, Store, origin_sha256

from .conftest import NAME
from .history import ORIGIN, History
from .process import running

Said = tuple[int, str, str]
Type = Callable[..., Said]


@pytest.fixture
def type_in(capsys: pytest.CaptureFixture[str]) -> Type:
    """Run one command; returns exit code, stdout and stderr."""

    def call(*arguments: str | Path) -> Said:
        parser = argparse.ArgumentParser()
        command.add_arguments(parser.add_subparsers(dest="command"))
        code = command.run(parser.parse_args(["witness", *map(str, arguments)]))
        return code, *capsys.readouterr()

    return call


@pytest.mark.parametrize("name", ["", "two words", "a+b", "none", "line\nbreak", "bell\a"])
def test_a_name_that_no_policy_can_carry_is_refused(type_in: Type, folder: Path, name: str) -> None:
    code, out, err = type_in("init", f"--name={name}", "--folder", folder)
    assert (out, err.startswith("NOT DONE: ")) == ("", True)
    assert code in (ExitCode.UNREADABLE, ExitCode.CHECKPOINT_MALFORMED)
    assert not folder.exists()


def test_a_second_init_leaves_the_first_key_alone(type_in: Type, folder: Path) -> None:
    assert type_in("init", "--name", NAME, "--folder", folder)[0] == 0
    key = (folder / "witness.key").read_bytes()
    code, _, err = type_in("init", "--name", NAME, "--folder", folder)
    assert (code, "Name a new folder" in err) == (ExitCode.UNREADABLE, True)
    assert (folder / "witness.key").read_bytes() == key


def test_a_parent_that_is_not_there_is_named(type_in: Type, tmp_path: Path) -> None:
    code, _, err = type_in("init", "--name", NAME, "--folder", tmp_path / "a" / "b")
    assert (code, "cannot be made: No such file or directory" in err) == (ExitCode.UNREADABLE, True)


@pytest.mark.parametrize("action", [["show"], ["serve", "--listen", "127.0.0.1:0"], ["add-log", History().vkey]])
def test_a_folder_that_is_none_is_refused(type_in: Type, tmp_path: Path, action: list[str]) -> None:
    code, out, err = type_in(*action, "--folder", tmp_path)
    assert (code, out) == (ExitCode.UNREADABLE, "")
    assert "Make one with `witness init`" in err


@pytest.mark.usefixtures("vkey")
@pytest.mark.parametrize(
    "listen", ["", "8089", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:80", "a b:1"]
)
def test_an_address_that_is_none_is_refused(type_in: Type, folder: Path, listen: str) -> None:
    code, _, err = type_in("serve", f"--listen={listen}", "--folder", folder)
    assert (code, "Expected an address such as" in err) == (ExitCode.UNREADABLE, True)


@pytest.mark.usefixtures("opened")
def test_no_command_changes_a_folder_that_is_served(type_in: Type, folder: Path) -> None:
    code, _, err = type_in("add-log", History(origin="x").vkey, "--folder", folder)
    assert (code, "Another process uses" in err) == (ExitCode.UNREADABLE, True)
    assert list(State.read(folder).logs) == [ORIGIN]
    assert type_in("show", "--folder", folder)[0] == 0


@pytest.mark.usefixtures("vkey")
@pytest.mark.parametrize("key", ["", "x", "a+b+c"])
def test_a_key_that_is_none_is_refused(type_in: Type, folder: Path, key: str) -> None:
    code, _, err = type_in("add-log", key, "--folder", folder)
    assert (code, "Expected a vkey" in err) == (ExitCode.CHECKPOINT_KEY, True)


def test_an_address_in_use_is_told_in_a_sentence(type_in: Type, folder: Path, vkey: object, tmp_path: Path) -> None:
    assert vkey
    second = tmp_path / "second"
    assert type_in("init", "--name", "other.example", "--folder", second)[0] == 0
    with running(folder) as witness:
        code, _, err = type_in("serve", "--listen", witness.url.removeprefix("http://"), "--folder", second)
    assert (code, err) == (ExitCode.UNREADABLE, "NOT DONE: The system refused it: Address already in use.\n")


def test_init_prints_a_key_and_a_policy_line_that_others_can_use(type_in: Type, folder: Path) -> None:
    code, out, _ = type_in("init", "--name", NAME, "--folder", folder)
    lines = out.splitlines()
    key = cosignature.parse_vkey(lines[1])
    policy = witness_policy.parse(f"{lines[-1]} https://witness.example/\nquorum {NAME}\n")
    assert (code, key.name, policy.witness_vkeys()) == (0, NAME, {NAME: lines[1]})
    assert State.read(folder).vkey == key


def test_show_tells_what_an_auditor_compares(type_in: Type, folder: Path, vkey: object, log: History) -> None:
    assert type_in("show", "--folder", folder)[1].endswith("no checkpoint yet\n")
    with Store.open(folder) as opened:
        assert Cosigner(opened).add_checkpoint(log.request(0, 7)).status == 200
        assert Cosigner(opened).add_checkpoint(log.forked_at(3).request(7, 7)).status == 422
    out = type_in("show", "--folder", folder)[1]
    assert f"Witness {NAME}\n{vkey}\n" in out
    assert f"/{origin_sha256(ORIGIN)}/checkpoint\n  size 7, root {log.head(7).root.hex()}, cosigned at 20" in out
    assert "FORKS: 2 notes" in out


def test_a_log_that_was_added_is_cosigned_by_the_process_that_serves(type_in: Type, folder: Path, log: History) -> None:
    vkey = type_in("init", "--name", NAME, "--folder", folder)[1].splitlines()[1]
    code, out, _ = type_in("add-log", log.vkey, "--folder", folder)
    assert (code, f"/{origin_sha256(ORIGIN)}/checkpoint" in out) == (0, True)
    with running(folder) as witness:
        found = witness_client.add_checkpoint(witness.url, vkey, 0, [], log.note(5))
        assert cosignature.verify(log.note(5) + found.line, {NAME: vkey}) == {NAME: found.cosigned_at}
        witness.process.send_signal(signal.SIGTERM)
        assert witness.process.wait(timeout=30) == 0
        assert witness.process.stdout is not None and witness.process.stdout.read() == "Stopped.\n"
    assert State.read(folder).logs[ORIGIN].head == log.head(5)


def test_it_is_a_command_of_the_auditors_program(tmp_path: Path) -> None:
    """In a folder of its own, with an almost empty environment."""
    root = Path(command.__file__).parents[3]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-m", "compliance.evidence", "witness", *arguments]
        return subprocess.run(
            program, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )

    assert call("init", "--name", NAME, "--folder", "state").returncode == 0
    assert call("show", "--folder", "state").stdout.startswith(f"Witness {NAME}\n")
    assert call("init", "--name", NAME, "--folder", "state").returncode == ExitCode.UNREADABLE
    assert call().returncode == ExitCode.USAGE
    assert "Never restore an old copy" in call("--help").stdout


FORBIDDING = """
import importlib, sys
class Forbid:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("django", "securesystemslib", "rfc8785", "torch", "numpy", "requests", "fcntl"):
            raise AssertionError(f"the witness imports {name}")
sys.meta_path.insert(0, Forbid())
for name in sys.argv[1:]:
    importlib.import_module(f"compliance.evidence.{name}")
print("imported")
"""


def test_it_needs_cryptography_and_the_standard_library_alone() -> None:
    """And nothing at its start that Windows lacks, where auditors verify with the same program."""
    names = ["cosignature", "witness_policy", "witness_client"]
    names += [f"witness.{path.stem}" for path in Path(command.__file__).parent.glob("*.py")]
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDING, *names], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "imported\n"), done.stderr
