"""Messages of the protocol as JSON objects, to be changed in one place, and strategies for any of them."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from compliance.opendsr.creation import CreateRequest
from compliance.opendsr.identities import Identity, IdentityKind
from compliance.opendsr.outcome import Outcome
from compliance.opendsr.responses import StatusReport
from compliance.opendsr.statuses import RequestStatus
from compliance.opendsr.vocabulary import IdentityFormat, IdentityType, Regulation, SubjectRequestType

REQUEST_ID = "a7551968-d5d6-44b2-9831-815ac9017798"
CALLBACK_URL = "https://controller.example/opendsr/callbacks"
# What must come back in no message, no error and no `repr`.
PERSONAL = "jane.doe@person.example"


def email(value: str = PERSONAL, identity_format: str = "raw") -> dict[str, Any]:
    """An identity object."""
    return {"identity_type": "email", "identity_value": value, "identity_format": identity_format}


def creation() -> dict[str, Any]:
    """A full create request of version 2.0."""
    return {
        "regulation": "gdpr",
        "subject_request_id": REQUEST_ID,
        "subject_request_type": "erasure",
        "subject_identities": [email()],
        "submitted_time": "2026-04-30T09:15:00Z",
        "api_version": "2.0",
        "status_callback_urls": [CALLBACK_URL],
    }


def encoded(value: object) -> bytes:
    """As another program might write it: spaces, and members in the order of making."""
    return json.dumps(value, indent=1).encode()


def without(value: dict[str, Any], name: str) -> dict[str, Any]:
    """The object with one member less."""
    return {key: member for key, member in value.items() if key != name}


times = st.datetimes(datetime(1970, 1, 1), datetime(9990, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0)
)
uuids = st.uuids(version=4).map(lambda value: uuid.UUID(int=value.int))
texts = st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable())
urls = st.sampled_from([CALLBACK_URL, "https://a.example:8443/x?y=1", "https://b.example"])
_HEX_SIZE = {IdentityFormat.MD5: 32, IdentityFormat.SHA1: 40, IdentityFormat.SHA256: 64}


@st.composite
def identity(draw: st.DrawFn) -> Identity:
    """Any identity."""
    kind = IdentityKind(draw(st.sampled_from(IdentityType)), draw(st.sampled_from(IdentityFormat)))
    n_digits = _HEX_SIZE.get(kind.format)
    digits = st.text("0123456789abcdef", min_size=n_digits or 0, max_size=n_digits)
    return Identity(kind, draw(digits if n_digits else texts))


codes = st.sampled_from(["legal_obligation", "public_interest"])
outcomes = st.builds(
    Outcome,
    result=st.none() | st.sampled_from(["completed", "refused"]),
    exceptions=st.lists(codes, max_size=2).map(tuple),
    ignored_identities=st.lists(identity().map(lambda each: each.kind), max_size=2).map(tuple),
    refusal_code=st.none() | codes,
    due_at=st.none() | times,
    evidence_sha256=st.none() | st.text("0123456789abcdef", min_size=64, max_size=64),
)
requests = st.builds(
    CreateRequest,
    regulation=st.sampled_from(Regulation),
    subject_request_id=uuids,
    type=st.sampled_from(SubjectRequestType),
    identities=st.lists(identity(), min_size=1, max_size=3, unique=True).map(tuple),
    submitted_at=times,
    api_version=st.none() | st.sampled_from(["2.0", "1.0", "2"]),
    status_callback_urls=st.lists(urls, unique=True).map(tuple),
    extension=st.dictionaries(texts, texts | st.integers(0, 9) | st.lists(texts, max_size=2), max_size=2),
)
reports = st.builds(
    StatusReport,
    controller_id=texts,
    subject_request_id=uuids,
    status=st.sampled_from(RequestStatus),
    expected_completion_at=times,
    api_version=st.none() | st.just("2.0"),
    results_url=st.none() | urls,
    results_count=st.none() | st.integers(0, 2**53 - 1),
    outcome=st.none() | outcomes,
)
