"""What a processor answers: 201 to a creation, 200 to a question, 202 to a cancellation. All of them are signed.

The specification lists `processor_signature` among the members of 201 and 202, but a body cannot hold a signature of
itself: it is in the header, as in every example. Source: OpenDSR 2.0, sections 7.3, 8.3 and 9.2.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from compliance.evidence import canonical
from compliance.opendsr import members, outcome
from compliance.opendsr.errors import MessageError, Reason
from compliance.opendsr.members import Members
from compliance.opendsr.outcome import Outcome
from compliance.opendsr.statuses import READ_AS, RequestStatus

MEDIA_TYPE = "application/json"
CREATED, FOUND, CANCELLED = HTTPStatus.CREATED, HTTPStatus.OK, HTTPStatus.ACCEPTED
# Answers echo personal data or say that somebody asked to be erased.
NO_STORE = MappingProxyType({"Cache-Control": "no-store", "Pragma": "no-cache"})


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """A request was taken in. Times are in UTC, told to the second."""

    controller_id: str
    subject_request_id: uuid.UUID
    expected_completion_at: datetime
    received_at: datetime
    outcome: Outcome | None = None

    def to_bytes(self, request_body: bytes, domain: str) -> bytes:
        """The body of a 201 of the processor at `domain`. It echoes the request: it is neither stored nor logged."""
        return canonical.dumps(
            {
                "controller_id": self.controller_id,
                "subject_request_id": str(self.subject_request_id),
                "expected_completion_time": members.format_time(self.expected_completion_at),
                "received_time": members.format_time(self.received_at),
                "encoded_request": canonical.encode_base64(request_body),
                **outcome.extensions(self.outcome, domain),
            }
        )


@dataclass(frozen=True, kw_only=True)
class StatusReport:
    """How far a request is."""

    controller_id: str
    subject_request_id: uuid.UUID
    status: RequestStatus
    expected_completion_at: datetime
    api_version: str | None = None
    results_url: str | None = None
    results_count: int | None = None
    outcome: Outcome | None = None

    def to_bytes(self, domain: str) -> bytes:
        """The body of a 200 from the processor at `domain`; what there is not is null."""
        return canonical.dumps({**self.to_dict(domain), "api_version": self.api_version})

    def to_dict(self, domain: str) -> dict[str, Any]:
        """The members that a callback has too."""
        return {
            "controller_id": self.controller_id,
            "subject_request_id": str(self.subject_request_id),
            "request_status": self.status.value,
            "expected_completion_time": members.format_time(self.expected_completion_at),
            "results_url": self.results_url,
            "results_count": self.results_count,
            **outcome.extensions(self.outcome, domain),
        }


@dataclass(frozen=True, kw_only=True)
class Cancellation:
    """A cancellation was taken in at `received_at`."""

    controller_id: str
    subject_request_id: uuid.UUID
    received_at: datetime
    api_version: str | None = None

    def to_bytes(self) -> bytes:
        """The body of a 202."""
        return canonical.dumps(
            {
                "controller_id": self.controller_id,
                "subject_request_id": str(self.subject_request_id),
                "received_time": members.format_time(self.received_at),
                "api_version": self.api_version,
            }
        )


def parse_acknowledgement(body: bytes, request_body: bytes, domain: str) -> Acknowledgement:
    """A 201 of the processor at `domain`, checked against what was sent; raises MessageError.

    The echo is compared and dropped.
    """
    found = members.read(body)
    if found.values.get("encoded_request") != canonical.encode_base64(request_body):
        raise MessageError("encoded_request", Reason.WRONG_VALUE, "the Base64 of the request that was sent")
    return Acknowledgement(
        controller_id=found.text("controller_id"),
        subject_request_id=found.uuid4("subject_request_id"),
        expected_completion_at=found.time("expected_completion_time"),
        received_at=found.time("received_time"),
        outcome=outcome.parse(found, domain),
    )


def parse_status(body: bytes, domain: str) -> StatusReport:
    """A 200 of the processor at `domain`; raises MessageError."""
    found = members.read(body)
    return read_status(found, domain)


def read_status(found: Members, domain: str) -> StatusReport:
    """The members that status and callback share; raises MessageError. Other processors' spellings are understood."""
    status = READ_AS.get(found.text("request_status"))
    if status is None:
        raise MessageError("request_status", Reason.WRONG_VALUE, f"one of {', '.join(RequestStatus)}")
    return StatusReport(
        controller_id=found.text("controller_id"),
        subject_request_id=found.uuid4("subject_request_id"),
        status=status,
        expected_completion_at=found.time("expected_completion_time"),
        api_version=found.version("api_version"),
        results_url=found.url("results_url") if found.has("results_url") else None,
        results_count=found.count("results_count"),
        outcome=outcome.parse(found, domain),
    )


def parse_cancellation(body: bytes) -> Cancellation:
    """A 202; raises MessageError."""
    found = members.read(body)
    return Cancellation(
        controller_id=found.text("controller_id"),
        subject_request_id=found.uuid4("subject_request_id"),
        received_at=found.time("received_time"),
        api_version=found.version("api_version"),
    )
