"""Keys, one genuine bundle and one genuine export, made once."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, settings

from compliance.evidence import bundle, signing

from .export_story import ExportStory, whole_story
from .story import Story, new_signer

# A busy machine is no failure.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def log_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="session")
def signer() -> signing.EvidenceSigner:
    return new_signer()


@pytest.fixture(scope="session")
def story(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> Story:
    return Story(log_key=log_key, signer=signer)


@pytest.fixture(scope="session")
def genuine(story: Story) -> bytes:
    return bundle.write(story.contents())


@pytest.fixture(scope="session")
def exported(log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner) -> ExportStory:
    return whole_story(log_key, signer)


@pytest.fixture(scope="session")
def export_files(exported: ExportStory) -> dict[str, bytes]:
    """A genuine export by path; a test changes a copy."""
    return exported.files()
