"""An auditor needs neither the service nor its libraries: the verifier runs alone, and gives every answer there.

The auditor's machine is a virtual environment made here: one library with what it needs itself, the folder
compliance/evidence, and nothing else. No Django, no torch, no network.
"""

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from packaging.requirements import Requirement

import compliance.evidence
from compliance.evidence import bundle, checkpoint, signing, trust
from compliance.evidence.errors import ExitCode

from .archive import pack, replaced, unpack
from .edits import envelope_of, says, with_envelope
from .export_story import ExportStory, fingerprint, lay_out
from .ledgers import ORIGIN
from .story import TARGET_A, Story, new_signer, some_id

LIBRARIES = ("cryptography",)
EVIDENCE = Path(compliance.evidence.__file__).parent
MODULES = sorted(path.stem for path in EVIDENCE.glob("*.py") if path.stem != "__init__")

FORBIDDING = """
import importlib, sys

FORBIDDEN = ("django", "rest_framework", "torch", "transformers", "numpy", "scipy", "celery", "kombu", "redis",
             "psycopg", "ml_core", "workers", "requests", "urllib3", "yaml")

class Forbid:
    def find_spec(self, name, path=None, target=None):
        allowed_part = name == "compliance" or name.startswith("compliance.evidence")
        if name.split(".")[0] in FORBIDDEN or (name.startswith("compliance") and not allowed_part):
            raise AssertionError(f"the verifier imports {name}")

sys.meta_path.insert(0, Forbid())
for name in sys.argv[1:]:
    importlib.import_module(f"compliance.evidence.{name}")
assert not set(FORBIDDEN) & {name.split(".")[0] for name in sys.modules}
print("imported", len(sys.argv) - 1)
"""


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A process with an almost empty environment: no variable of this one leads it back here."""
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    arguments = [str(argument) for argument in command]
    return subprocess.run(arguments, check=False, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("name", MODULES)
def test_each_module_alone_imports_nothing_of_the_service_and_nothing_heavy(name: str) -> None:
    """Each in a fresh interpreter, so that no module is there because another one brought it."""
    done = run(sys.executable, "-c", FORBIDDING, name, cwd=EVIDENCE.parent.parent)
    assert (done.returncode, done.stdout) == (0, "imported 1\n"), done.stderr


def test_the_import_hook_of_these_tests_would_notice() -> None:
    done = run(sys.executable, "-c", FORBIDDING.replace("importlib.import_module", "__import__('numpy') or str"), "x")
    assert done.returncode != 0
    assert "the verifier imports numpy" in done.stderr


# --- The auditor's machine ---------------------------------------------------------------------------------------


def with_dependencies(names: tuple[str, ...]) -> set[str]:
    """These distributions and everything that they require on this system, without extras."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for text in metadata.requires(name) or []:
            required = Requirement(text)
            if required.marker is None or required.marker.evaluate({"extra": ""}):
                waiting.append(re.sub(r"[-_.]+", "-", required.name).lower())
    return found


def link_library(name: str, site_packages: Path) -> None:
    """Link the files of one installed distribution into another environment, and nothing beside them."""
    distribution = metadata.distribution(name)
    for file in distribution.files or []:
        # Commands and compiled caches are not needed.
        if ".." in file.parts or "__pycache__" in file.parts:
            continue
        link = site_packages / file
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(Path(str(distribution.locate_file(file))).resolve())


@pytest.fixture(scope="session")
def auditor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The Python of a machine on which only the verifier and its one library are installed."""
    place = tmp_path_factory.mktemp("auditor")
    venv.create(place, with_pip=False, symlinks=True)
    (site_packages,) = (place / "lib").glob("python*/site-packages")
    for name in with_dependencies(LIBRARIES):
        link_library(name, site_packages)
    package = site_packages / "compliance"
    shutil.copytree(EVIDENCE, package / "evidence", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(EVIDENCE.parent / "__init__.py", package)
    yield place / "bin" / "python"
    shutil.rmtree(place)


@pytest.fixture(scope="session")
def pins(story: Story, signer: signing.EvidenceSigner, tmp_path_factory: pytest.TempPathFactory) -> list[str | Path]:
    """The keys, as the auditor was given them on paper."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "log.vkey").write_text(checkpoint.vkey(ORIGIN, story.log_key.public_key()))
    (folder / "evidence.pem").write_bytes(signer.public_key_pem)
    return ["--log-vkey", folder / "log.vkey", "--evidence-key", folder / "evidence.pem"]


@pytest.fixture
def verify(auditor: Path, pins: list[str | Path], tmp_path: Path) -> Callable[[bytes], tuple[int, str]]:
    """Verify bytes on the auditor's machine; returns exit code and everything that was said."""

    def call(data: bytes) -> tuple[int, str]:
        (tmp_path / "request.zip").write_bytes(data)
        done = run(auditor, "-I", "-m", "compliance.evidence", "verify", "request.zip", *pins, cwd=tmp_path)
        return done.returncode, done.stdout + done.stderr

    return call


@pytest.mark.parametrize(
    "name",
    ["django", "rest_framework", "torch", "numpy", "celery", "psycopg", "workers", "rfc8785", "securesystemslib"],
)
def test_the_auditors_machine_lacks_what_the_service_needs(name: str, auditor: Path, tmp_path: Path) -> None:
    done = run(auditor, "-I", "-c", f"import {name}", cwd=tmp_path)
    assert done.returncode != 0
    assert f"No module named '{name}'" in done.stderr


def test_the_auditors_machine_runs_its_own_copy_of_the_verifier(auditor: Path, tmp_path: Path) -> None:
    done = run(auditor, "-I", "-c", "import compliance.evidence as e; print(e.__file__)", cwd=tmp_path)
    assert Path(done.stdout.strip()).is_relative_to(auditor.parent.parent)


def test_the_auditor_needs_one_library_and_what_it_needs() -> None:
    """A second one would be one more thing to trust."""
    assert with_dependencies(LIBRARIES) <= {*LIBRARIES, "cffi", "pycparser"}


def test_a_genuine_bundle_is_verified_on_the_auditors_machine(
    genuine: bytes, verify: Callable[[bytes], tuple[int, str]]
) -> None:
    code, said = verify(genuine)
    assert code == ExitCode.VERIFIED, said
    assert said.startswith("VERIFIED. Request ")
    assert said.count("(yours)") == 2
    assert "WARNING" not in said


EVIDENCE_A = f"evidence/{TARGET_A}.sigstore.json"
FIRST = "entries/1-00000300"


def flipped(name: str, old: bytes) -> Callable[[bytes], bytes]:
    """One byte changed in one file: the last one of a passage that it holds."""

    def change(content: bytes) -> bytes:
        assert old in content
        at = content.index(old) + len(old) - 1
        return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]

    return lambda data: replaced(data, name, change)


def payload_flipped(data: bytes) -> bytes:
    """A bit of the signed statement itself, inside its base64."""

    def change(content: bytes) -> bytes:
        envelope = envelope_of(content)
        payload = envelope.payload.replace(b'"n_forget":2', b'"n_forget":3')
        assert payload != envelope.payload
        return with_envelope(content, dataclasses.replace(envelope, payload=payload))

    return replaced(data, EVIDENCE_A, change)


def signature_flipped(data: bytes) -> bytes:
    def change(content: bytes) -> bytes:
        envelope = envelope_of(content)
        signature = envelope.signature[:-1] + bytes([envelope.signature[-1] ^ 1])
        return with_envelope(content, dataclasses.replace(envelope, signature=signature))

    return replaced(data, EVIDENCE_A, change)


def path_flipped(data: bytes) -> bytes:
    """A bit in the Merkle path of the first entry: the line behind its index."""
    content = unpack(data)[f"{FIRST}.tlog-proof"]
    return flipped(f"{FIRST}.tlog-proof", content[: content.index(b"index 300\n") + len(b"index 300\n") + 1])(data)


def manifests_swapped(data: bytes) -> bytes:
    files = unpack(data)
    first, second, *_ = sorted(name for name in files if name.startswith("models/"))
    return pack(files | {first: files[second], second: files[first]})


def gone(name: str) -> Callable[[bytes], bytes]:
    return lambda data: pack({key: content for key, content in unpack(data).items() if key != name})


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], ExitCode]] = {
    "a byte of the file on the way": (lambda data: data.replace(b"art17_1_b", b"art17_1_c", 1), ExitCode.NOT_A_BUNDLE),
    "a byte of the evidence": (flipped(EVIDENCE_A, b'{"dsseEnvelope'), ExitCode.SIGSTORE_MALFORMED),
    "a byte of the statement": (payload_flipped, ExitCode.EVIDENCE_PAYLOAD),
    "a byte of the signature": (signature_flipped, ExitCode.EVIDENCE_SIGNATURE),
    "a byte of an entry": (flipped(f"{FIRST}.leaf", b"art17_1_b"), ExitCode.ENTRY_CHANGED),
    "a byte of a proof": (path_flipped, ExitCode.PROOF_CHANGED),
    "a byte of the checkpoint": (flipped("logs/1.checkpoint", b"\n316"), ExitCode.CHECKPOINT_SIGNATURE),
    "a byte of the policy": (flipped("policy.json", b"0.1"), ExitCode.POLICY_MISMATCH),
    "a byte of the openings": (flipped("openings.json", b'"nonce":"1'), ExitCode.OPENING_MISMATCH),
    "a model under another's name": (manifests_swapped, ExitCode.SWAPPED_MODEL),
    "a file that is missing": (gone(EVIDENCE_A), ExitCode.MISSING_FILE),
    "a file too many": (lambda data: pack(unpack(data) | {"notes.txt": b"trust me"}), ExitCode.UNEXPECTED_FILE),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_on_the_auditors_machine_and_has_its_own_code(
    name: str, genuine: bytes, verify: Callable[[bytes], tuple[int, str]]
) -> None:
    damage, expected = DAMAGE[name]
    code, said = verify(damage(genuine))
    assert code == expected, said
    assert said.startswith("NOT VERIFIED: ")
    assert f"(exit code {int(expected)}, {expected.name.lower()})" in said


SWAPS: dict[str, tuple[dict[str, object], ExitCode]] = {
    "evidence of another request": ({"request_id": some_id(99)}, ExitCode.SWAPPED_REQUEST),
    "evidence of another receipt": ({"request_leaf_sha256": "0" * 64}, ExitCode.SWAPPED_REQUEST),
    "evidence about another model before": ({"before_sha256": "0" * 64}, ExitCode.SWAPPED_MODEL),
    "evidence about another model after": ({"after_sha256": "0" * 64}, ExitCode.SWAPPED_MODEL),
}


@pytest.mark.parametrize("name", SWAPS)
def test_a_swap_is_found_on_the_auditors_machine_although_every_signature_is_genuine(
    name: str, story: Story, verify: Callable[[bytes], tuple[int, str]]
) -> None:
    changes, expected = SWAPS[name]
    swapped = Story(log_key=story.log_key, signer=story.signer, facts=says(**changes))
    code, said = verify(bundle.write(swapped.contents()))
    assert code == expected, said


def test_a_bundle_of_other_keys_is_refused_on_the_auditors_machine(verify: Callable[[bytes], tuple[int, str]]) -> None:
    forged = Story(log_key=Ed25519PrivateKey.generate(), signer=new_signer())
    assert verify(bundle.write(forged.contents()))[0] == ExitCode.CHECKPOINT_KEY


# --- Whole logs, and the story of one request -----------------------------------------------------------------------

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def command(auditor: Path, exported: ExportStory, export_files: dict[str, bytes], tmp_path: Path) -> Call:
    """A command on an export on the auditor's machine, under the trust file that he was given on another way."""
    lay_out(export_files, tmp_path / "export")
    (tmp_path / "trust.json").write_bytes(trust.write(exported.trust))
    pinned = ["--trust", "trust.json", "--trust-sha256", fingerprint(exported)]

    def call(name: str, *arguments: str) -> tuple[int, str]:
        done = run(auditor, "-I", "-m", "compliance.evidence", name, "export", *arguments, *pinned, cwd=tmp_path)
        return done.returncode, done.stdout + done.stderr

    return call


def test_an_export_of_whole_logs_is_verified_on_the_auditors_machine(command: Call) -> None:
    code, said = command("verify")
    assert code == ExitCode.VERIFIED, said
    assert said.startswith("VERIFIED. 339 entries, 97 requests, 2 of them disclosed.")
    assert said.count("cosigned by witness0.example, witness1.example") == 4
    assert "UNWITNESSED" not in said


def test_a_request_is_explained_on_the_auditors_machine(command: Call, exported: ExportStory) -> None:
    code, said = command("explain", exported.disclosed[0].request_id)
    assert code == ExitCode.VERIFIED, said
    assert "request.completed by operator" in said
    assert said.count("proven under the head of ") == 16


def test_the_bundle_of_a_request_is_explained_on_the_auditors_machine(
    genuine: bytes, story: Story, auditor: Path, pins: list[str | Path], tmp_path: Path
) -> None:
    (tmp_path / "request.zip").write_bytes(genuine)
    arguments = ["explain", "request.zip", story.request_id, *pins]
    done = run(auditor, "-I", "-m", "compliance.evidence", *arguments, cwd=tmp_path)
    assert done.returncode == ExitCode.VERIFIED, done.stderr
    assert done.stdout.startswith(f"VERIFIED. Request {story.request_id}: completed.")


EXPORT_DAMAGE: dict[str, tuple[str, bytes, ExitCode]] = {
    "a byte of an entry": ("logs/2026/tile/entries/000", b"art17_1_b", ExitCode.LOG_CONTENT),
    "a byte of a tile": ("logs/2026/tile/1/000.p/1", b"", ExitCode.LOG_CONTENT),
    "a byte of a checkpoint": ("logs/2027/checkpoint", b"\n41", ExitCode.CHECKPOINT_SIGNATURE),
    "a byte of the index": ("export.json", b'"log":1', ExitCode.MALFORMED_FILE),
}


@pytest.mark.parametrize("name", EXPORT_DAMAGE)
def test_damage_to_an_export_is_found_on_the_auditors_machine(name: str, command: Call, tmp_path: Path) -> None:
    path, old, expected = EXPORT_DAMAGE[name]
    content = (tmp_path / "export" / path).read_bytes()
    assert old in content
    at = max(content.index(old) + len(old) - 1, 0)
    changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    (tmp_path / "export" / path).write_bytes(changed)
    code, said = command("verify")
    assert code == expected, said
