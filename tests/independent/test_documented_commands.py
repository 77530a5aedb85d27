"""The commands of docs/evidence.md do what it says: they accept a genuine export, and refuse a changed one."""

import json
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import bundle, canonical, sigstore_root
from compliance.evidence import trust as trusts
from compliance.evidence.__main__ import exit_code_table
from compliance.evidence.bundle import BundleContents
from compliance.evidence.record import AttachedEvidence
from compliance.evidence.trust import EvidenceKey
from tests.compliance.evidence.edits import sigstore_edited
from tests.compliance.evidence.export_story import ExportStory, folder_of, lay_out, policy_of, trust_of
from tests.compliance.evidence.ledgers import Cosigner
from tests.compliance.evidence.registered import RegisteredLedger, RegisteredStory
from tests.compliance.evidence.story import TARGET_A, new_signer
from tests.services.timestamp_authority import TimestampAuthority

from . import documentation, node_packages

TAKE_APART, SIGNATURE, STAMPS = "Take it apart", "OpenSSL: the signature", "OpenSSL: the time stamps"
SIGSTORE, PYTHON = "Sigstore's library, on Node", "securesystemslib"
COSIGN, GO = "cosign (not run by our tests)", "Go: a whole log (not run by our tests)"


class StampedStory(RegisteredStory):
    """Evidence and summaries carry tokens of this authority."""

    authority: TimestampAuthority

    def contents(self) -> BundleContents:
        contents = super().contents()
        return replace(contents, evidence=self.stamped(contents.evidence), closings=self.stamped(contents.closings))

    def stamped(self, attachments: tuple[AttachedEvidence, ...]) -> tuple[AttachedEvidence, ...]:
        signatures = [json.loads(attached.envelope)["signatures"][0]["sig"] for attached in attachments]
        tokens = [self.authority.stamp(canonical.decode_base64(signature)) for signature in signatures]
        return tuple(
            replace(attached, timestamps=(token,)) for attached, token in zip(attachments, tokens, strict=True)
        )


@dataclass(frozen=True)
class Material:
    """What an auditor was sent: an export, one bundle, a trust file, and the words that stand for them."""

    files: dict[str, bytes]
    archive: bytes
    trust: bytes
    words: dict[str, str]

    def laid_out(self, folder: Path, files: dict[str, bytes] | None = None) -> dict[str, str]:
        """Write it; returns what to put in for the words of the documentation."""
        lay_out(self.files if files is None else files, folder / "export")
        (folder / "bundle.zip").write_bytes(self.archive)
        work = folder / "work"
        work.mkdir()
        (work / "trust.json").write_bytes(self.trust)
        places = {
            "PROJECT": str(documentation.ROOT),
            "EXPORT": str(folder / "export"),
            "BUNDLE.zip": str(folder / "bundle.zip"),
            "CHECKPOINT": str(folder / "export" / "logs" / self.words["LOG"] / "checkpoint"),
        }
        return {**places, **self.words}


@pytest.fixture(scope="module")
def material(timestamp_authority: TimestampAuthority) -> Material:
    cosigners = [Cosigner(f"witness{number}.example") for number in range(2)]
    key, signer = Ed25519PrivateKey.generate(), new_signer()
    ledger = RegisteredLedger(key, cosigners)
    story = StampedStory(log_key=key, signer=signer, ledger=ledger)
    story.authority = timestamp_authority
    trust = replace(
        trust_of(ledger, policy=policy_of(cosigners, 2)),
        evidence_keys=(EvidenceKey.of(new_signer().public_key), EvidenceKey.of(signer.public_key)),
        timestamp_authorities=(timestamp_authority.pems,),
    )
    log = folder_of(ledger.last)
    files = ExportStory(ledger, (story,), trust).files()
    files["trusted_root.json"] = sigstore_root.write(trust)
    files[f"logs/{log}/checkpoint.tsr"] = timestamp_authority.stamp(ledger.last.note())
    words = {"REQUEST": story.request_id, "TARGET": TARGET_A, "LOG": log}
    pinned = trusts.write(trust)
    return Material(files, bundle.write(story.contents()), pinned, {**words, "HEX": sha256(pinned).hexdigest()})


def evidence_path(material: Material) -> str:
    return f"requests/{material.words['REQUEST']}/{TARGET_A}.evidence.sigstore.json"


def script_of(*headings: str) -> str:
    return "".join(documentation.commands(heading) for heading in headings)


def in_envelope(member: str, change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Change what the envelope in a Sigstore bundle says."""

    def edit(content: bytes) -> bytes:
        def respell(value: dict[str, dict[str, str]]) -> None:
            said = canonical.decode_base64(value["dsseEnvelope"][member])
            value["dsseEnvelope"][member] = canonical.encode_base64(change(said))

        return sigstore_edited(content, respell)

    return edit


FORGED = in_envelope("payload", lambda payload: payload.replace(b'"PASSED"', b'"FAILED"'))


def forged(material: Material) -> dict[str, bytes]:
    """The export with another result in the statement."""
    path = evidence_path(material)
    files = {**material.files, path: FORGED(material.files[path])}
    assert files != material.files
    return files


def test_our_own_commands_verify_both_forms(material: Material, tmp_path: Path) -> None:
    words = material.laid_out(tmp_path)
    script = f"export PYTHONPATH={documentation.ROOT}\n{documentation.commands('Verify')}"
    is_verified, said = documentation.run(script, tmp_path / "work", words)
    assert is_verified, said
    assert said.count("VERIFIED.") == 4
    is_verified, said = documentation.run(script, tmp_path / "work", {**words, "HEX": "0" * 64})
    assert not is_verified


def test_our_own_command_refuses_a_forged_export(material: Material, tmp_path: Path) -> None:
    words = material.laid_out(tmp_path, forged(material))
    script = f"export PYTHONPATH={documentation.ROOT}\n{documentation.commands('Verify').splitlines()[1]}\n"
    is_verified, said = documentation.run(script, tmp_path / "work", words)
    assert not is_verified and "NOT VERIFIED" in said


def test_openssl_verifies_signature_and_time_stamps(material: Material, tmp_path: Path) -> None:
    words = material.laid_out(tmp_path)
    is_verified, said = documentation.run(script_of(TAKE_APART, SIGNATURE, STAMPS), tmp_path / "work", words)
    assert is_verified, said
    assert "Verified OK" in said and said.count("Verification: OK") == 2


def test_openssl_refuses_another_statement(material: Material, tmp_path: Path) -> None:
    words = material.laid_out(tmp_path, forged(material))
    is_verified, said = documentation.run(script_of(TAKE_APART, SIGNATURE), tmp_path / "work", words)
    assert not is_verified and "verification failure" in said.lower()


def test_openssl_refuses_another_checkpoint(material: Material, tmp_path: Path) -> None:
    name = f"logs/{material.words['LOG']}/checkpoint"
    changed = {**material.files, name: material.files[name].replace(b"\n22\n", b"\n21\n")}
    assert changed[name] != material.files[name]
    words = material.laid_out(tmp_path, changed)
    is_verified, said = documentation.run(script_of(TAKE_APART, STAMPS), tmp_path / "work", words)
    # The stamp over the signature still holds, the one over the checkpoint does not.
    assert not is_verified and said.count("Verification: OK") == 1


def test_a_signer_that_the_trust_file_does_not_know_leaves_no_key(material: Material, tmp_path: Path) -> None:
    words = material.laid_out(tmp_path)
    other = replace(trusts.parse(material.trust), evidence_keys=(EvidenceKey.of(new_signer().public_key),))
    (tmp_path / "work" / "trust.json").write_bytes(trusts.write(other))
    is_verified, _ = documentation.run(script_of(TAKE_APART, SIGNATURE), tmp_path / "work", words)
    assert not is_verified and not (tmp_path / "work" / "evidence.pem").exists()


def test_securesystemslib_verifies_an_envelope(material: Material, tmp_path: Path) -> None:
    (tmp_path / "genuine").mkdir()
    words = material.laid_out(tmp_path / "genuine")
    is_verified, said = documentation.run(script_of(TAKE_APART, PYTHON), tmp_path / "genuine" / "work", words)
    assert is_verified, said
    (tmp_path / "forged").mkdir()
    words = material.laid_out(tmp_path / "forged", forged(material))
    is_verified, said = documentation.run(script_of(TAKE_APART, PYTHON), tmp_path / "forged" / "work", words)
    assert not is_verified and "VerificationError" in said


@pytest.fixture
def with_node(tmp_path: Path) -> Path:
    """A folder with a program `node` that is new enough."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "node").symlink_to(node_packages.node())
    return programs


@pytest.mark.parametrize("is_genuine", [True, False], ids=["genuine", "forged"])
def test_sigstores_library_verifies_a_bundle(
    is_genuine: bool, material: Material, tmp_path: Path, with_node: Path
) -> None:
    words = material.laid_out(tmp_path, None if is_genuine else forged(material))
    work = tmp_path / "work"
    # It is installed already, by the very command.
    (work / "node_modules").symlink_to(node_packages.installed() / "node_modules")
    script = script_of(TAKE_APART, SIGSTORE)
    install = shlex.join(node_packages.INSTALL)
    assert f"\n{install}\n" in script
    is_verified, said = documentation.run(script.replace(install, "true"), work, words, with_node)
    assert is_verified is is_genuine, said
    assert f'{{"verified":{str(is_genuine).lower()}' in said
    assert (work / "trusted_root.json").read_bytes() == material.files["trusted_root.json"]


def test_the_file_that_cosign_is_given_is_a_subject_of_the_statement(material: Material) -> None:
    envelope = json.loads(material.files[evidence_path(material)])["dsseEnvelope"]
    statement = json.loads(canonical.decode_base64(envelope["payload"]))
    (after,) = [each["digest"]["sha256"] for each in statement["subject"] if each["name"] == "model-after"]
    assert sha256(material.files[f"models/{after}.json"]).hexdigest() == after
    assert statement["predicateType"] in documentation.commands(COSIGN)


def test_every_section_with_commands_is_run_here_or_says_that_it_is_not() -> None:
    headings = re.findall(r"^### (.*)$", documentation.TEXT, re.MULTILINE)
    with_commands = {each for each in headings if re.search(r"^    ", documentation.section(each), re.MULTILINE)}
    assert with_commands - {TAKE_APART, SIGNATURE, STAMPS, SIGSTORE, PYTHON} == {COSIGN, GO}
    assert all(each.endswith("(not run by our tests)") for each in (COSIGN, GO))


def test_the_table_of_exit_codes_is_the_commands() -> None:
    rows = [f"| {code} | `{name}` | {meaning} |" for code, name, meaning in exit_code_table()]
    assert documentation.section("Exit codes").split("|---|---|---|\n")[1].splitlines() == rows


@pytest.mark.parametrize("form", ["bundle", "export"])
def test_every_file_of_both_forms_is_described(form: str, material: Material, tmp_path: Path) -> None:
    """By its name at the top, or by the folder it is in."""
    heading = {"bundle": "The bundle (`expunge-bundle/2`)", "export": "The export (`expunge-export/1`)"}[form]
    described = documentation.section(heading)
    (tmp_path / "unpacked").mkdir()
    if form == "bundle":
        (tmp_path / "bundle.zip").write_bytes(material.archive)
        shutil.unpack_archive(tmp_path / "bundle.zip", tmp_path / "unpacked")
    else:
        lay_out(material.files, tmp_path / "unpacked")
    names = sorted(entry.name for entry in (tmp_path / "unpacked").iterdir())
    assert [name for name in names if f"`{name}`" not in described and f"`{name}/" not in described] == []
