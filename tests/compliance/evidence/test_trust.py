"""The trust file: one spelling, nothing twice, and a key is relied upon only for the time in which it was valid."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import canonical, checkpoint, dsse, trust
from compliance.evidence.errors import KeyValidityError, TrustFileError
from compliance.evidence.trust import EvidenceKey, Trust

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PRIVATE = ec.generate_private_key(ec.SECP256R1())
PUBLIC, OTHER = PRIVATE.public_key(), ec.generate_private_key(ec.SECP256R1()).public_key()
VKEYS = tuple(checkpoint.vkey(f"example.org/log/{year}", Ed25519PrivateKey.generate().public_key()) for year in (1, 2))


def root_certificate() -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Root")])
    builder = x509.CertificateBuilder(name, name, PUBLIC, 1, NOON, NOON + HOUR)
    return builder.sign(PRIVATE, SHA256()).public_bytes(serialization.Encoding.PEM).decode()


CERTIFICATE = root_certificate()
FULL = Trust(
    issued_at=NOON,
    log_vkeys=VKEYS,
    evidence_keys=(EvidenceKey.of(PUBLIC, NOON, NOON + HOUR, NOON + HOUR / 2), EvidenceKey.of(OTHER, NOON)),
    timestamp_authorities=((CERTIFICATE, CERTIFICATE), (CERTIFICATE,)),
    witness_policy_text="quorum none\n",
)
FILE = trust.write(FULL)


def edited(change: Callable[[Any], object]) -> bytes:
    value = json.loads(FILE)
    change(value)
    return canonical.dumps(value)


def with_key(**members: object) -> bytes:
    """The file with another first evidence key."""
    return edited(lambda value: value["evidence_keys"][0].update(members))


ED25519_PEM = dsse.public_key_pem(Ed25519PrivateKey.generate().public_key()).decode()
PEM = dsse.public_key_pem(PUBLIC).decode()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"trust", id="no JSON"),
        pytest.param(b"[]", id="a list"),
        pytest.param(FILE + b"\n", id="a newline at the end"),
        pytest.param(json.dumps(json.loads(FILE), indent=2).encode(), id="another spelling"),
        pytest.param(b" " * (trust.MAX_BYTES + 1), id="too long"),
        pytest.param(edited(lambda value: value.update(format="expunge-trust/2")), id="another format"),
        pytest.param(edited(lambda value: value.update(note="")), id="a member too many"),
        pytest.param(edited(lambda value: value.pop("witness_policy")), id="a member too few"),
        pytest.param(edited(lambda value: value.update(issued_at="2026-05-01")), id="a day as a time"),
        pytest.param(edited(lambda value: value.update(issued_at=0)), id="a number as a time"),
        pytest.param(edited(lambda value: value.update(logs=VKEYS[0])), id="a vkey that is no list"),
        pytest.param(edited(lambda value: value.update(logs=[VKEYS[0], VKEYS[0]])), id="a vkey twice"),
        pytest.param(edited(lambda value: value.update(logs=[VKEYS[0] + "\n"])), id="a vkey with a newline"),
        pytest.param(edited(lambda value: value.update(logs=[1])), id="a number as a vkey"),
        pytest.param(edited(lambda value: value.update(logs=["example.org/log"])), id="a name as a vkey"),
        pytest.param(edited(lambda value: value.update(evidence_keys={})), id="keys that are no list"),
        pytest.param(edited(lambda value: value.update(evidence_keys=[PEM])), id="a key that is a PEM alone"),
        pytest.param(edited(lambda value: value["evidence_keys"].append(value["evidence_keys"][1])), id="a key twice"),
        pytest.param(with_key(pem=dsse.public_key_pem(OTHER).decode()), id="a key twice with other times"),
        pytest.param(with_key(pem=ED25519_PEM), id="a key of a log among those of evidence"),
        pytest.param(with_key(pem=PEM + "\n"), id="a PEM with a line too many"),
        pytest.param(with_key(pem=PEM + PEM), id="two PEMs in one"),
        pytest.param(with_key(pem=""), id="no PEM"),
        pytest.param(with_key(pem=None), id="a key without a PEM"),
        pytest.param(with_key(valid_from=None), id="a key without a beginning"),
        pytest.param(with_key(valid_until="never"), id="a word as an end"),
        pytest.param(with_key(valid_until="2026-05-01T11:59:59Z"), id="an end before the beginning"),
        pytest.param(with_key(distrusted_from=False), id="distrust that is no time"),
        pytest.param(with_key(name="worker"), id="a key with a member too many"),
        pytest.param(edited(lambda value: value["evidence_keys"][0].pop("valid_until")), id="a key with one too few"),
        pytest.param(edited(lambda value: value.update(timestamp_authorities=None)), id="authorities that are null"),
        pytest.param(edited(lambda value: value.update(timestamp_authorities=[[]])), id="an authority without a root"),
        pytest.param(edited(lambda value: value.update(timestamp_authorities=[CERTIFICATE])), id="no chain"),
        pytest.param(edited(lambda value: value.update(timestamp_authorities=[[PEM]])), id="a key as a certificate"),
        pytest.param(edited(lambda value: value.update(timestamp_authorities=[[1]])), id="a number as a certificate"),
        pytest.param(
            edited(lambda value: value.update(timestamp_authorities=[["hello\n" + CERTIFICATE]])),
            id="a certificate with text before it",
        ),
        pytest.param(edited(lambda value: value.update(witness_policy=["quorum none"])), id="a policy that is a list"),
    ],
)
def test_it_refuses(data: bytes) -> None:
    with pytest.raises(TrustFileError):
        trust.parse(data)


@pytest.mark.parametrize(
    "unwritable",
    [
        pytest.param(replace(FULL, log_vkeys=("example.org/log",)), id="a name as a vkey"),
        pytest.param(replace(FULL, log_vkeys=VKEYS * 2), id="a vkey twice"),
        pytest.param(replace(FULL, evidence_keys=FULL.evidence_keys * 2), id="a key twice"),
        pytest.param(replace(FULL, issued_at=NOON.replace(microsecond=1)), id="a fraction of a second"),
        pytest.param(replace(FULL, issued_at=NOON.replace(tzinfo=None)), id="a time without a zone"),
        pytest.param(replace(FULL, timestamp_authorities=((),)), id="an authority without a root"),
        pytest.param(
            replace(FULL, evidence_keys=(replace(FULL.evidence_keys[0], key_sha256="ab" * 32),)),
            id="a fingerprint of another key",
        ),
    ],
)
def test_what_would_not_be_read_back_is_not_written(unwritable: Trust) -> None:
    with pytest.raises(TrustFileError):
        trust.write(unwritable)


def test_what_is_written_is_read_back() -> None:
    assert trust.parse(FILE) == FULL
    bare = Trust(issued_at=NOON, log_vkeys=(), evidence_keys=())
    assert trust.parse(trust.write(bare)) == bare


def test_the_fingerprint_is_that_of_sha256sum() -> None:
    assert trust.fingerprint(FILE) == sha256(FILE).hexdigest()


@given(st.integers(0, len(FILE) - 1), st.integers(0, 255))
def test_no_changed_byte_goes_unnoticed(place: int, byte: int) -> None:
    """Either the file is refused, or it says something else and has another fingerprint."""
    changed = FILE[:place] + bytes([byte]) + FILE[place + 1 :]
    try:
        found = trust.parse(changed)
    except TrustFileError:
        return
    assert (found == FULL) is (changed == FILE)


def test_a_key_is_found_by_its_fingerprint_alone() -> None:
    assert FULL.key_for(dsse.public_key_sha256(OTHER)) == FULL.evidence_keys[1]
    assert FULL.key_for(dsse.public_key_sha256(OTHER)[:12]) is None
    assert FULL.key_for("ab" * 32) is None


def test_keys_that_were_pinned_alone_are_trusted_for_ever_and_once() -> None:
    pinned = trust.of_keys(list(VKEYS), [PUBLIC, PUBLIC, OTHER])
    assert pinned.log_vkeys == VKEYS
    assert [key.public_key for key in pinned.evidence_keys] == [PUBLIC, OTHER]
    assert (pinned.timestamp_authorities, pinned.witness_policy_text) == ((), None)
    for key in pinned.evidence_keys:
        key.refuse_invalid(None, is_proven=False)
        key.refuse_invalid(datetime(1970, 1, 1, tzinfo=UTC), is_proven=True)
    assert trust.parse(trust.write(pinned)) == pinned


# --- When a key could be relied on -------------------------------------------------------------------------------

BEFORE, BEGIN, END = NOON - HOUR, NOON, NOON + HOUR
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("key", "signed_at", "is_proven", "sentence"),
    [
        pytest.param(EvidenceKey.of(PUBLIC, BEGIN), BEGIN - SECOND, True, "valid from", id="before it was valid"),
        pytest.param(EvidenceKey.of(PUBLIC, BEGIN, END), END, True, "valid until", id="at its end"),
        pytest.param(EvidenceKey.of(PUBLIC, BEGIN, END), END + HOUR, True, "valid until", id="after its end"),
        pytest.param(EvidenceKey.of(PUBLIC, BEGIN, None, END), END, True, "trusted until", id="when it was stolen"),
        pytest.param(EvidenceKey.of(PUBLIC, BEGIN, END, BEGIN), BEGIN, True, "trusted until", id="stolen while valid"),
        pytest.param(EvidenceKey.of(PUBLIC, BEGIN, END), None, False, "retired", id="retired, no time"),
        pytest.param(EvidenceKey.of(PUBLIC, BEGIN, None, END), None, False, "distrusted", id="distrusted, no time"),
        pytest.param(EvidenceKey.of(PUBLIC, BEGIN, END), BEGIN, False, "retired", id="retired, time only said"),
        pytest.param(
            EvidenceKey.of(PUBLIC, BEGIN, None, END), BEGIN, False, "distrusted", id="distrusted, time only said"
        ),
    ],
)
def test_a_signature_is_refused(key: EvidenceKey, signed_at: datetime | None, is_proven: bool, sentence: str) -> None:
    with pytest.raises(KeyValidityError, match=sentence) as refused:
        key.refuse_invalid(signed_at, is_proven=is_proven)
    assert key.key_sha256 in str(refused.value)


@pytest.mark.parametrize(
    ("key", "signed_at", "is_proven"),
    [
        pytest.param(EvidenceKey.of(PUBLIC, BEGIN), BEGIN, True, id="from the first second on"),
        pytest.param(EvidenceKey.of(PUBLIC, BEGIN, END), END - SECOND, True, id="to the last second"),
        pytest.param(EvidenceKey.of(PUBLIC, BEGIN, END, END), END - SECOND, True, id="the second before the theft"),
        pytest.param(EvidenceKey.of(PUBLIC, BEGIN, END), END - timedelta(microseconds=1), True, id="a fraction before"),
        pytest.param(EvidenceKey.of(PUBLIC, BEGIN), None, False, id="in use, no time"),
        pytest.param(EvidenceKey.of(PUBLIC, BEGIN), BEFORE, False, id="in use, time only said"),
    ],
)
def test_a_signature_is_relied_upon(key: EvidenceKey, signed_at: datetime | None, is_proven: bool) -> None:
    key.refuse_invalid(signed_at, is_proven=is_proven)


MOMENTS = st.integers(0, 6).map(lambda n: NOON + n * HOUR)


@given(MOMENTS, MOMENTS | st.none(), MOMENTS | st.none(), MOMENTS | st.none(), st.booleans())
def test_the_rule_is_the_one_sentence_that_states_it(
    begin: datetime, end: datetime | None, theft: datetime | None, at: datetime | None, is_proven: bool
) -> None:
    """A proven time lies in the validity and before the theft; without one the key has neither end."""
    hours = [begin + n * HOUR for n in range(10) if (not end or begin + n * HOUR < end)]
    trusted_hours = [hour for hour in hours if not theft or hour < theft]
    expected = at in trusted_hours if at is not None and is_proven else end is None and theft is None
    try:
        EvidenceKey.of(PUBLIC, begin, end, theft).refuse_invalid(at, is_proven=is_proven)
    except KeyValidityError:
        assert not expected
    else:
        assert expected
