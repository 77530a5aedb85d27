"""How far a request is, in the words of the protocol. The same for whoever asks and for whoever is called back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db.models import F

from compliance.controllers.models import ControllerRequest, StatusNotice
from compliance.evidence import canonical
from compliance.opendsr.dialect import DIALECTS, Dialect
from compliance.opendsr.identities import IdentityKind
from compliance.opendsr.outcome import Outcome
from compliance.opendsr.responses import StatusReport
from compliance.opendsr.statuses import STATUS_OF_STATE, RequestStatus
from compliance.opendsr.vocabulary import IdentityFormat, IdentityType
from compliance.requests import clocks
from compliance.requests.models import DeletionRequest, Evidence
from compliance.requests.states import FULFILLED, TERMINAL, RequestState, TargetState

#: What `refusal_code` says of a request that ended because nobody proved who asked.
UNPROVEN = "identity_unproven"
_PROVEN = (TargetState.PASSED, TargetState.DEPLOYED)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A request at one moment. `results_until` is None while there are no results to fetch."""

    state: str
    refusal_code: str
    exceptions: tuple[str, ...]
    due_at: datetime
    evidence_leaves: tuple[str, ...]
    results_until: datetime | None

    @property
    def status(self) -> RequestStatus:
        """The word of the protocol."""
        return STATUS_OF_STATE[self.state]


def standing_of(request: DeletionRequest) -> Standing:
    """How it stands now: no query while it is open, two once it is fulfilled."""
    is_fulfilled = request.state in FULFILLED
    return Standing(
        state=request.state,
        refusal_code=_refusal_code(request),
        exceptions=_exceptions(request) if is_fulfilled else (),
        due_at=clocks.deadlines(request).current.due_at,
        evidence_leaves=_evidence_leaves(request) if is_fulfilled else (),
        results_until=_results_until(request) if is_fulfilled else None,
    )


def standing_told(notice: StatusNotice) -> Standing:
    """How it stood when the notice was written."""
    return Standing(
        state=notice.request_state,
        refusal_code=notice.refusal_code,
        exceptions=tuple(notice.exceptions),
        due_at=notice.due_at,
        evidence_leaves=tuple(notice.evidence_leaves),
        results_until=notice.results_until,
    )


def report(row: ControllerRequest, standing: Standing, dialect: Dialect, at: datetime) -> StatusReport:
    """The status as it is told at this moment: results that nobody can fetch any more are not offered."""
    is_offered = standing.results_until is not None and at < standing.results_until
    path = f"{dialect.request_path(str(row.subject_request_id))}/evidence"
    return StatusReport(
        controller_id=str(row.controller_id),
        subject_request_id=row.subject_request_id,
        status=standing.status,
        expected_completion_at=standing.due_at,
        results_url=f"https://{settings.OPENDSR_DOMAIN}{path}" if is_offered else None,
        results_count=len(standing.evidence_leaves) if is_offered else None,
        outcome=outcome_of(row, standing),
    )


def outcome_of(row: ControllerRequest, standing: Standing) -> Outcome:
    """What stands in our extension."""
    return Outcome(
        result=standing.state if standing.state in TERMINAL else None,
        refusal_code=standing.refusal_code or None,
        exceptions=standing.exceptions,
        due_at=standing.due_at,
        evidence_sha256=evidence_sha256(standing.evidence_leaves) if standing.evidence_leaves else None,
        ignored_identities=tuple(
            IdentityKind(IdentityType(kind), IdentityFormat(spelling)) for kind, spelling in row.ignored_identities
        ),
    )


def evidence_sha256(leaves: tuple[str, ...]) -> str:
    """Hex SHA-256 over the canonical JSON array (RFC 8785) of the sorted leaf hashes of all evidence of a request."""
    return sha256(canonical.dumps(sorted(leaves))).hexdigest()


def dialect_of(row: ControllerRequest) -> Dialect:
    """The version of the protocol in which the request came."""
    return next(dialect for dialect in DIALECTS if dialect.api_version == row.api_version)


def _refusal_code(request: DeletionRequest) -> str:
    if request.state == RequestState.REFUSED:
        return request.refusal_reason
    return UNPROVEN if request.state == RequestState.CLOSED_UNVERIFIED else ""


def _exceptions(request: DeletionRequest) -> tuple[str, ...]:
    rows = request.targets.filter(state=TargetState.EXCEPTED).order_by("exception")
    return tuple(dict.fromkeys(rows.values_list("exception", flat=True)))


def _evidence_leaves(request: DeletionRequest) -> tuple[str, ...]:
    rows = Evidence.objects.filter(target__request=request, target__state__in=_PROVEN, job=F("target__job"))
    return tuple(rows.order_by("leaf_sha256").values_list("leaf_sha256", flat=True))


def _results_until(request: DeletionRequest) -> datetime | None:
    if request.closed_at is None:
        return None
    return request.closed_at + timedelta(days=settings.IDENTITY_RETENTION_DAYS)
