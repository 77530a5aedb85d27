"""An export of whole logs: every entry hashed, every file accounted for, every disclosed request judged."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from compliance.evidence import canonical
from compliance.evidence.errors import ExitCode, MissingFileError, UnreadableError
from compliance.evidence.export_folder import names_in, openings_name, signed_name
from compliance.evidence.file_limits import MAX_FILE_BYTES, MAX_PARSED_BYTES, MAX_SIGSTORE_BYTES
from compliance.evidence.verify_export import verify_export

from .edits import sigstore_edited
from .export_edits import Files, code_of_export, edited_json, in_logs
from .export_story import (
    ExportStory,
    lay_out,
)
from .story import some_id


@pytest.fixture
def folder(export_files: Files, tmp_path: Path) -> Path:
    return lay_out(export_files, tmp_path / "export")


# --- The folder -----------------------------------------------------------------------------------------------------


def without(name: str) -> Callable[[Files], object]:
    return lambda files: files.pop(name)


def with_file(name: str, content: bytes = b"x") -> Callable[[Files], object]:
    return lambda files: files.update({name: content})


def moved(old: str, new: str) -> Callable[[Files], object]:
    """A folder under another name."""

    def move(files: Files) -> None:
        for name in [name for name in files if name.startswith(old)]:
            files[new + name.removeprefix(old)] = files.pop(name)

    return move


NOBODY = 65_534
FIRST, SECOND, WITHHELD = (some_id(1 + 1000 * number) for number in (1, 2, 3))
TARGET = some_id(4 + 1000)
OPENINGS, RESULT = openings_name(FIRST), signed_name(FIRST, TARGET, "evidence")


FOLDERS: dict[str, tuple[Callable[[Files], object], ExitCode]] = {
    "no index": (without("export.json"), ExitCode.MISSING_FILE),
    "no trust file": (without("trust.json"), ExitCode.MISSING_FILE),
    "no readme": (without("README.txt"), ExitCode.MISSING_FILE),
    "another readme": (with_file("README.txt"), ExitCode.MALFORMED_FILE),
    "a file too many": (with_file("notes.txt"), ExitCode.UNEXPECTED_FILE),
    "a folder too many": (with_file("extra/notes.txt"), ExitCode.UNEXPECTED_FILE),
    "a log that the index does not list": (with_file("logs/2028/checkpoint"), ExitCode.MISSING_FILE),
    "a file among the logs": (with_file("logs/notes.txt"), ExitCode.UNEXPECTED_FILE),
    "a file among the requests": (with_file("requests/notes.txt"), ExitCode.UNEXPECTED_FILE),
    "a file too many in a log": (with_file("logs/2026/notes.txt"), ExitCode.UNEXPECTED_FILE),
    "a file too many in a folder of partial tiles": (
        with_file("logs/2026/tile/0/001.p/notes"),
        ExitCode.UNEXPECTED_FILE,
    ),
    "a tile by another spelling": (with_file("logs/2026/tile/0/0"), ExitCode.UNEXPECTED_FILE),
    "a tile beyond the log": (with_file("logs/2026/tile/0/005", bytes(8192)), ExitCode.UNEXPECTED_FILE),
    "a level beyond the log": (with_file("logs/2026/tile/7/000.p/1", bytes(32)), ExitCode.UNEXPECTED_FILE),
    "entries beyond the log": (with_file("logs/2026/tile/entries/001.p/200"), ExitCode.UNEXPECTED_FILE),
    "an older tile that is another": (with_file("logs/2026/tile/0/001.p/1", bytes(32)), ExitCode.LOG_CONTENT),
    "older entries that are others": (with_file("logs/2026/tile/entries/001.p/1", b"\x00\x00"), ExitCode.LOG_CONTENT),
    "no log of the two": (moved("logs/2027/", "logs/2028/"), ExitCode.MISSING_FILE),
    "no checkpoint": (without("logs/2026/checkpoint"), ExitCode.MISSING_FILE),
    "no tile": (without("logs/2026/tile/0/000"), ExitCode.LOG_CONTENT),
    "no entries": (without("logs/2026/tile/entries/000"), ExitCode.LOG_CONTENT),
    "no tile of the upper level": (without("logs/2026/tile/1/000.p/1"), ExitCode.LOG_CONTENT),
    "a request that no log names": (with_file(openings_name(some_id(5))), ExitCode.UNEXPECTED_FILE),
    "a request by no id": (with_file(openings_name("..first")), ExitCode.UNEXPECTED_FILE),
    "a request under the id of another": (
        moved(f"requests/{FIRST}/", f"requests/{WITHHELD}/"),
        ExitCode.OPENING_MISMATCH,
    ),
    "a file too many in a request": (with_file(f"requests/{FIRST}/notes.txt"), ExitCode.UNEXPECTED_FILE),
    "a folder too many in a request": (with_file(f"requests/{FIRST}/evidence/notes.txt"), ExitCode.UNEXPECTED_FILE),
    "a list of what is in a request": (with_file(f"requests/{FIRST}/request.json"), ExitCode.UNEXPECTED_FILE),
    "evidence of a target by name": (
        moved(RESULT, f"requests/{FIRST}/model.evidence.sigstore.json"),
        ExitCode.UNEXPECTED_FILE,
    ),
    "evidence too many": (with_file(signed_name(FIRST, some_id(5), "evidence")), ExitCode.SIGSTORE_MALFORMED),
    "evidence under two names": (
        lambda files: files.update({signed_name(FIRST, some_id(5), "evidence"): files[RESULT]}),
        ExitCode.UNEXPECTED_FILE,
    ),
    "one entry for evidence and summary": (
        lambda files: files.update({signed_name(FIRST, TARGET, "closing"): files[RESULT]}),
        ExitCode.UNEXPECTED_FILE,
    ),
    "evidence that is missing": (without(RESULT), ExitCode.SCOPE_MISMATCH),
    "a summary that is missing": (without(signed_name(FIRST, TARGET, "closing")), ExitCode.CLOSING_STATEMENT),
    "openings of a request that was shredded": (
        lambda files: files.update({openings_name(SECOND): files[OPENINGS]}),
        ExitCode.UNEXPECTED_FILE,
    ),
    "openings that are missing": (without(OPENINGS), ExitCode.MISSING_FILE),
    "a model that nobody names": (with_file(f"models/{'0' * 64}.json"), ExitCode.UNEXPECTED_FILE),
    "a policy that nobody names": (with_file(f"policies/{'0' * 64}.json"), ExitCode.UNEXPECTED_FILE),
    "a model that is missing": (
        lambda files: files.pop(next(name for name in files if name.startswith("models/"))),
        ExitCode.MISSING_FILE,
    ),
    "a policy that is missing": (
        lambda files: files.pop(next(name for name in files if name.startswith("policies/"))),
        ExitCode.MISSING_FILE,
    ),
    "all models under other names": (moved("models/", "models/0"), ExitCode.MISSING_FILE),
    "all policies under other names": (moved("policies/", "policies/0"), ExitCode.MISSING_FILE),
    "a model with another content": (
        lambda files: files.update({next(name for name in files if name.startswith("models/")): b"{}"}),
        ExitCode.SWAPPED_MODEL,
    ),
    "a policy with another content": (
        lambda files: files.update({next(name for name in files if name.startswith("policies/")): b"{}"}),
        ExitCode.POLICY_MISMATCH,
    ),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_is_not_the_export_is_refused(
    name: str, exported: ExportStory, export_files: Files, tmp_path: Path
) -> None:
    change, code = FOLDERS[name]
    files = dict(export_files)
    change(files)
    assert code_of_export(lay_out(files, tmp_path), exported.trust) is code


INDICES: dict[str, Callable[[Files], None]] = {
    "another format": edited_json("export.json", lambda index: index.update(format="expunge-export/2")),
    "a member too many": edited_json("export.json", lambda index: index.update(note="")),
    "another time without its seal": lambda files: files.update(
        {"export.json": files["export.json"].replace(b'"exported_at":"2027', b'"exported_at":"2028')}
    ),
    "no seal": lambda files: files.update(
        {"export.json": canonical.dumps({**canonical.loads(files["export.json"]), "seal_sha256": None})}
    ),
    "no time": edited_json("export.json", lambda index: index.pop("exported_at")),
    "no logs": in_logs(lambda logs: logs.clear()),
    "a log twice": in_logs(lambda logs: logs.append(logs[0])),
    "logs out of order": in_logs(lambda logs: logs.reverse()),
    "a gap between logs": in_logs(lambda logs: logs[1].update(log=3)),
    "a log number zero": in_logs(lambda logs: [log.update(log=at) for at, log in enumerate(logs)]),
    "a log number that is true": in_logs(lambda logs: logs[0].update(log=True)),
    "a log by path": in_logs(lambda logs: logs[0].update(folder="../2026")),
    "two logs in one folder": in_logs(lambda logs: logs[1].update(folder="2026")),
    "a key that is a list": in_logs(lambda logs: logs[0].update(vkey=[])),
}


@pytest.mark.parametrize("name", INDICES)
def test_another_form_of_index_is_refused(
    name: str, exported: ExportStory, export_files: Files, tmp_path: Path
) -> None:
    files = dict(export_files)
    INDICES[name](files)
    assert code_of_export(lay_out(files, tmp_path), exported.trust) is ExitCode.MALFORMED_FILE


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"logIndex": str(10**6)}, ExitCode.UNEXPECTED_FILE, id="beyond the log"),
        pytest.param({"logIndex": "0"}, ExitCode.SIGSTORE_MALFORMED, id="of another entry"),
        pytest.param({"logIndex": 3}, ExitCode.SIGSTORE_MALFORMED, id="as a number"),
        pytest.param({"logIndex": "-1"}, ExitCode.SIGSTORE_MALFORMED, id="below zero"),
        pytest.param({"logIndex": "1" + "0" * 5000}, ExitCode.SIGSTORE_MALFORMED, id="with very many digits"),
        pytest.param({"logId": {"keyId": "A" * 43 + "="}}, ExitCode.UNEXPECTED_FILE, id="in no log"),
        pytest.param({"logId": {}}, ExitCode.SIGSTORE_MALFORMED, id="in a log without an id"),
    ],
)
def test_evidence_that_names_another_entry_is_refused(
    changes: dict[str, object], code: ExitCode, exported: ExportStory, export_files: Files, tmp_path: Path
) -> None:
    def edit(value: dict[str, Any]) -> None:
        value["verificationMaterial"]["tlogEntries"][0].update(changes)

    files = {**export_files, RESULT: sigstore_edited(export_files[RESULT], edit)}
    assert code_of_export(lay_out(files, tmp_path), exported.trust) is code


@pytest.mark.parametrize(
    "request_id",
    [pytest.param(WITHHELD, id="withheld"), pytest.param(FIRST, id="open"), pytest.param(SECOND, id="shredded")],
)
def test_an_empty_folder_of_a_request_is_refused(request_id: str, exported: ExportStory, folder: Path) -> None:
    place = folder / "requests" / request_id
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    with pytest.raises(MissingFileError, match=f"requests/{request_id} is empty"):
        verify_export(folder, trust=exported.trust, n_processes=1)


@pytest.mark.parametrize("name", ["export.json", "logs", "logs/2026", "logs/2026/checkpoint", "models", "requests"])
def test_a_link_in_the_place_of_a_file_or_folder_is_refused(
    name: str, exported: ExportStory, folder: Path, tmp_path: Path
) -> None:
    """What it leads to can change between two looks."""
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    assert code_of_export(folder, exported.trust) in (ExitCode.UNSAFE_MEMBER, ExitCode.UNEXPECTED_FILE)


@pytest.mark.parametrize("name", [OPENINGS, RESULT, "logs/2026/tile"])
def test_a_link_in_the_place_of_what_lies_further_down_is_refused(
    name: str, exported: ExportStory, folder: Path, tmp_path: Path
) -> None:
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    assert code_of_export(folder, exported.trust) is ExitCode.UNSAFE_MEMBER


@pytest.mark.parametrize("name", [OPENINGS, RESULT, signed_name(FIRST, some_id(5), "evidence")])
def test_a_folder_or_pipe_in_the_place_of_a_file_of_a_request_is_refused(
    name: str, exported: ExportStory, folder: Path
) -> None:
    (folder / name).unlink(missing_ok=True)
    (folder / name).mkdir()
    assert code_of_export(folder, exported.trust) is ExitCode.UNSAFE_MEMBER
    (folder / name).rmdir()
    os.mkfifo(folder / name)
    assert code_of_export(folder, exported.trust) is ExitCode.UNSAFE_MEMBER


def first_in(folder: Path, pattern: str) -> Path:
    return min(folder.glob(pattern))


@pytest.mark.parametrize(
    ("pattern", "max_bytes"),
    [
        pytest.param("export.json", MAX_PARSED_BYTES, id="index"),
        pytest.param("trust.json", MAX_PARSED_BYTES, id="trust file"),
        pytest.param("logs/2026/checkpoint", MAX_PARSED_BYTES, id="checkpoint"),
        pytest.param("requests/*/openings.json", MAX_PARSED_BYTES, id="openings"),
        pytest.param("policies/*.json", MAX_PARSED_BYTES, id="policy"),
        pytest.param("requests/*/*.evidence.sigstore.json", MAX_SIGSTORE_BYTES, id="signed result"),
        pytest.param("requests/*/*.closing.sigstore.json", MAX_SIGSTORE_BYTES, id="signed summary"),
        pytest.param("models/*.json", MAX_FILE_BYTES, id="manifest"),
        pytest.param("trusted_root.json", MAX_FILE_BYTES, id="file for Sigstore clients"),
    ],
)
def test_a_file_beyond_its_limit_is_refused_without_being_read(
    pattern: str, max_bytes: int, exported: ExportStory, folder: Path
) -> None:
    os.truncate(first_in(folder, pattern), max_bytes + 1)
    assert code_of_export(folder, exported.trust) is ExitCode.TOO_LARGE


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def nest(folder: Path, name: str, n_folders: int) -> None:
    """Folders in one another, more deeply than a path can name."""
    folder.mkdir(exist_ok=True)
    with working_in(folder):
        for _ in range(n_folders):
            Path(name).mkdir()
            os.chdir(name)


@pytest.mark.parametrize("place", ["logs/2026", "models", f"requests/{FIRST}"])
@pytest.mark.parametrize(
    ("name", "n_folders"), [pytest.param("a", 1_100, id="many"), pytest.param("a" * 250, 20, id="with long names")]
)
def test_folders_nested_without_end_are_refused(
    name: str, n_folders: int, place: str, exported: ExportStory, folder: Path
) -> None:
    nest(folder / place, name, n_folders)
    try:
        assert code_of_export(folder, exported.trust) in (ExitCode.UNEXPECTED_FILE, ExitCode.UNREADABLE)
    finally:
        # What removes the folder afterwards would descend one call for each.
        subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_a_folder_at_the_end_of_a_path_that_is_too_long_is_unreadable(tmp_path: Path) -> None:
    nest(tmp_path, "a" * 250, 17)
    try:
        with pytest.raises(UnreadableError, match="cannot be listed"):
            names_in(f"{tmp_path}{('/' + 'a' * 250) * 7}")
    finally:
        subprocess.run(["rm", "-rf", str(tmp_path / ("a" * 250))], check=True)


@contextmanager
def without_privileges() -> Iterator[None]:
    """As another user, where root runs the tests: root lists every folder."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("name", ["", "logs", "logs/2026/tile", "requests", f"requests/{FIRST}", "models"])
def test_a_folder_without_permission_is_unreadable(name: str, exported: ExportStory, export_files: Files) -> None:
    # Not below pytest's own folder, through which nobody else may go.
    with TemporaryDirectory() as temporary:
        folder = lay_out(export_files, Path(temporary, "export"))
        Path(temporary).chmod(0o755)
        # It may be gone through, and not be listed.
        (folder / name).chmod(0o311)
        try:
            with without_privileges():
                assert code_of_export(folder, exported.trust) is ExitCode.UNREADABLE
        finally:
            (folder / name).chmod(0o755)


def test_a_pipe_in_the_place_of_a_file_is_refused(exported: ExportStory, folder: Path) -> None:
    (folder / "export.json").unlink()
    os.mkfifo(folder / "export.json")
    assert code_of_export(folder, exported.trust) is not ExitCode.VERIFIED


def test_a_folder_in_the_place_of_a_file_is_refused(exported: ExportStory, folder: Path) -> None:
    (folder / "export.json").unlink()
    (folder / "export.json").mkdir()
    assert code_of_export(folder, exported.trust) is ExitCode.UNSAFE_MEMBER


@pytest.mark.parametrize("name", ["logs", "requests", "models", "policies"])
def test_a_file_in_the_place_of_a_folder_is_refused(
    name: str, exported: ExportStory, export_files: Files, tmp_path: Path
) -> None:
    kept = {path: content for path, content in export_files.items() if not path.startswith(f"{name}/")}
    assert code_of_export(lay_out(kept | {name: b""}, tmp_path), exported.trust) is ExitCode.UNEXPECTED_FILE


def test_a_path_that_is_no_folder_is_refused(exported: ExportStory, folder: Path) -> None:
    assert code_of_export(folder / "export.json", exported.trust) is ExitCode.UNREADABLE
