"""securesystemslib verifies an exported envelope under the key that the auditor has."""

import copy
import json

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError

# The package re-exports it without saying so in a way mypy accepts.
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

from compliance.evidence import canonical, dsse, signing
from compliance.evidence.errors import EvidenceMalformedError
from tests.compliance.evidence.story import new_signer

from .conftest import Evidence


def key_of(signer: signing.EvidenceSigner) -> SSlibKey:
    return SSlibKey.from_crypto(signer.public_key, dsse.public_key_sha256(signer.public_key), "ecdsa-sha2-nistp256")


def envelope_of(evidence: Evidence, **changes: str) -> Envelope:
    """The envelope in the bundle. The library changes what it is given, so it gets a copy."""
    return Envelope.from_dict(copy.deepcopy(json.loads(evidence.bundle)["dsseEnvelope"] | changes))


def test_it_refuses_another_payload_and_another_key(evidence: Evidence) -> None:
    changed = canonical.encode_base64(evidence.envelope.payload.replace(b"PASSED", b"FAILED"))
    with pytest.raises(VerificationError):
        envelope_of(evidence, payload=changed).verify([key_of(evidence.signer)], 1)
    with pytest.raises(VerificationError):
        envelope_of(evidence, payloadType="application/json").verify([key_of(evidence.signer)], 1)
    with pytest.raises(VerificationError):
        envelope_of(evidence).verify([key_of(new_signer())], 1)


def test_one_key_under_two_names_is_two_to_it_and_two_signatures_are_none_to_us(evidence: Evidence) -> None:
    """So the documentation asks it for one signature, and our reader knows no threshold that could be met so."""
    written = json.loads(evidence.bundle)["dsseEnvelope"]
    (signature,) = written["signatures"]
    twice = {**written, "signatures": [signature, {**signature, "keyid": "another"}]}
    same = SSlibKey.from_crypto(evidence.signer.public_key, "another", "ecdsa-sha2-nistp256")
    assert len(Envelope.from_dict(copy.deepcopy(twice)).verify([key_of(evidence.signer), same], 2)) == 2
    with pytest.raises(EvidenceMalformedError, match="exactly one signature"):
        dsse.verify_envelope(canonical.dumps(twice), [evidence.signer.public_key])


def test_it_accepts_a_genuine_envelope(evidence: Evidence) -> None:
    accepted = envelope_of(evidence).verify([key_of(evidence.signer)], 1)
    assert list(accepted) == [evidence.signer.keyid]
