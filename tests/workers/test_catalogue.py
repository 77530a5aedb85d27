"""What a worker publishes when it starts, and when it refuses to start."""

from pathlib import Path

import pytest
from pytest_django import Settings

from compliance.evidence import signing
from compliance.ledger import keys
from compliance.ledger.models import PublicKey
from compliance.registry.models import MethodCard
from ml_core.errors import PluginError
from workers import catalogue
from workers.app import publish_catalogue

pytestmark = pytest.mark.django_db


@pytest.fixture
def evidence_key(tmp_path: Path, settings: Settings) -> Path:
    settings.EVIDENCE_KEY_PATH = tmp_path / "evidence.pem"
    return tmp_path / "evidence.pem"


def test_a_worker_without_a_key_to_sign_with_does_not_start(evidence_key: Path) -> None:
    with pytest.raises(SystemExit, match=r"cannot start.*keys create"):
        publish_catalogue()


def test_a_worker_with_a_broken_plug_in_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise PluginError("methods/odd.py: its docstring lacks the headings")

    monkeypatch.setattr(catalogue, "installed", broken)
    with pytest.raises(SystemExit, match=r"cannot start.*odd\.py"):
        publish_catalogue()
    assert not MethodCard.objects.exists()


def test_it_publishes_every_method_and_audit_and_its_key_once(evidence_key: Path) -> None:
    signing.generate_evidence_key(evidence_key)
    publish_catalogue()
    publish_catalogue()
    plugins = catalogue.installed()
    published = set(MethodCard.objects.values_list("kind", "name"))
    assert published == {("method", name) for name in plugins.methods} | {("audit", name) for name in plugins.audits}
    acu = MethodCard.objects.get(name="acu")
    assert acu.source_sha256 == plugins.methods["acu"].source_sha256
    assert acu.card["assurance"] == "exact"
    assert PublicKey.objects.get().key_sha256 == keys.evidence_signer().keyid
