"""A request with signed evidence, stamped by OpenSSL's authority, and what an auditor pins."""

from dataclasses import dataclass, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import dsse, signing, sigstore
from compliance.evidence.trust import Trust
from tests.compliance.evidence.export_story import sigstore_file, trust_of
from tests.compliance.evidence.story import TARGET_A, Story, new_signer
from tests.services.timestamp_authority import TimestampAuthority


@dataclass(frozen=True)
class Evidence:
    """One piece of evidence as it is exported, and the keys under which it must verify."""

    bundle: bytes
    envelope: dsse.Envelope
    signer: signing.EvidenceSigner
    trust: Trust


@pytest.fixture(scope="session")
def timestamp_authority(tmp_path_factory: pytest.TempPathFactory) -> TimestampAuthority:
    return TimestampAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def story() -> Story:
    return Story(log_key=Ed25519PrivateKey.generate(), signer=new_signer())


@pytest.fixture(scope="session")
def evidence(story: Story, timestamp_authority: TimestampAuthority) -> Evidence:
    position, written = story.envelopes[TARGET_A]
    envelope = dsse.parse_envelope(written)
    token = timestamp_authority.stamp(envelope.signature)
    content = sigstore_file(story.ledger, position, written, story.ledger.notes(), (token,))
    assert sigstore.read(content).timestamps == (token,)
    trust = replace(trust_of(story.ledger), timestamp_authorities=(timestamp_authority.pems,))
    return Evidence(content, envelope, story.signer, trust)
