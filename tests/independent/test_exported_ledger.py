"""What the service itself exports, out of its database, is verified by programs of others; nothing is told in memory."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from compliance.evidence import dsse, trust
from compliance.evidence.trust import Trust
from compliance.reports import ledger_export
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.evidence.edits import sigstore_edited
from tests.services.timestamp_authority import needs_openssl

from . import documentation, sigstore_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A completed request, disclosed. No authority is configured, so nothing is stamped."""
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.COMPLETED).request
    cast.run_ledger()
    return ledger_export.export(tmp_path / "export", [request.pk])


def signed_files(export: Path) -> list[Path]:
    found = sorted(export.glob("requests/*/*.sigstore.json"))
    assert {path.name.partition(".")[2] for path in found} == {"evidence.sigstore.json", "closing.sigstore.json"}
    return found


def trust_in(export: Path) -> Trust:
    return trust.parse((export / "trust.json").read_bytes())


def ask(export: Path, bundles: Sequence[bytes], folder: Path) -> list[dict[str, Any]]:
    folder.mkdir()
    (key,) = trust_in(export).evidence_keys
    return sigstore_client.verify(
        folder,
        bundles,
        trusted_root=(export / "trusted_root.json").read_bytes(),
        key_der=dsse.public_key_der(key.public_key),
        n_timestamps=0,
    )


def under(material: dict[str, Any], content: bytes) -> bytes:
    """The envelope of a bundle with entry, proof and checkpoint of another one."""
    return sigstore_edited(content, lambda value: value.update(verificationMaterial=material))


def test_sigstores_library_accepts_every_signature_and_no_signature_under_another_entry(
    export: Path, tmp_path: Path
) -> None:
    bundles = [path.read_bytes() for path in signed_files(export)]
    assert ask(export, bundles, tmp_path / "genuine") == [{"verified": True}] * len(bundles)
    materials = [json.loads(content)["verificationMaterial"] for content in bundles]
    others = materials[1:] + materials[:1]
    swapped = [under(material, content) for material, content in zip(others, bundles, strict=True)]
    answers = ask(export, swapped, tmp_path / "swapped")
    assert [answer.get("code") for answer in answers] == ["TLOG_BODY_ERROR"] * len(bundles)


@pytest.mark.parametrize("heading", ["OpenSSL: the signature", "securesystemslib"])
def test_the_documented_commands_accept_every_signature(heading: str, export: Path, tmp_path: Path) -> None:
    needs_openssl()
    script = documentation.commands("Take it apart") + documentation.commands(heading)
    for path in signed_files(export):
        work = tmp_path / path.name
        work.mkdir()
        (work / "trust.json").write_bytes((export / "trust.json").read_bytes())
        request, name = path.relative_to(export / "requests").parts
        words = {"PROJECT": str(documentation.ROOT), "EXPORT": str(export), "REQUEST": request}
        place = script.replace("/TARGET.evidence.sigstore.json", f"/{name}")
        is_verified, said = documentation.run(place, work, words)
        assert is_verified, said
