"""What is answered at each address of OpenDSR.

Next: compliance/controllers/actions/receive.py
"""

import uuid
from dataclasses import replace
from datetime import UTC, datetime

from compliance.api.opendsr.exchanges import Answer, Call, PublicCall, body_of
from compliance.api.opendsr.openapi import document as openapi_document
from compliance.controllers import callback_addresses, queries, reporting, served
from compliance.controllers.actions.cancel import cancel as cancel_request
from compliance.controllers.actions.receive import receive
from compliance.controllers.errors import NoResultsError, ResultsGoneError, UnknownRequestError
from compliance.controllers.models import ControllerRequest
from compliance.evidence import canonical
from compliance.opendsr import creation, responses
from compliance.opendsr.responses import Acknowledgement, Cancellation
from compliance.requests.queries import evidence_summary

PEM = "application/x-pem-file"


def discovery(call: PublicCall) -> Answer:
    """What this processor serves."""
    return Answer(body=served.document(call.dialect).to_bytes())


def certificate(call: PublicCall) -> Answer:
    """Its certificate, with those between it and the authority, in PEM."""
    return Answer(body=call.signer.chain_pem(), media_type=PEM)


def openapi(call: PublicCall) -> Answer:
    """This surface as OpenAPI 3.1."""
    return Answer(body=canonical.dumps(openapi_document(call.signer.domain)))


def create(call: Call) -> Answer:
    """A request is taken in; the same bytes again have the same answer."""
    body, domain = body_of(call.request), call.signer.domain
    asked = creation.parse(body, call.dialect, domain, callback_addresses.SCHEMES)
    row = receive(call.controller.pk, asked, body=body, dialect=call.dialect)
    standing = reporting.standing_of(row.request)
    acknowledgement = Acknowledgement(
        controller_id=str(call.controller.pk),
        subject_request_id=row.subject_request_id,
        expected_completion_at=standing.due_at,
        received_at=row.request.received_at,
        outcome=reporting.outcome_of(row, standing),
    )
    return Answer(status=responses.CREATED, body=acknowledgement.to_bytes(body, domain))


def status(call: Call) -> Answer:
    """How far a request is."""
    row = _named(call)
    report = reporting.report(row, reporting.standing_of(row.request), call.dialect, datetime.now(tz=UTC))
    told = replace(report, api_version=call.dialect.api_version)
    return Answer(status=responses.FOUND, body=told.to_bytes(call.signer.domain))


def cancel(call: Call) -> Answer:
    """A pending request is taken back."""
    row = cancel_request(call.controller.pk, _id(call))
    cancellation = Cancellation(
        controller_id=str(call.controller.pk),
        subject_request_id=row.subject_request_id,
        received_at=row.request.changed_at,
        api_version=call.dialect.api_version,
    )
    return Answer(status=responses.CANCELLED, body=cancellation.to_bytes())


def evidence(call: Call) -> Answer:
    """What an ended request came to, model by model: results, levels of assurance and leaves of the ledger."""
    row = _named(call)
    standing = reporting.standing_of(row.request)
    if standing.results_until is None:
        raise NoResultsError("There are no results: the request is not completed.")
    if datetime.now(tz=UTC) >= standing.results_until:
        raise ResultsGoneError("The results were kept until the end of their time. The evidence is with the auditors.")
    body = {
        "controller_id": str(call.controller.pk),
        "subject_request_id": str(row.subject_request_id),
        "evidence": evidence_summary(row.request),
        "evidence_sha256": reporting.outcome_of(row, standing).evidence_sha256,
    }
    return Answer(body=canonical.dumps(body))


def _named(call: Call) -> ControllerRequest:
    return queries.passed_on(call.controller, _id(call))


def _id(call: Call) -> uuid.UUID:
    """What is no id of the protocol names nothing; raises UnknownRequestError."""
    if not canonical.is_uuid4(call.subject_request_id):
        raise UnknownRequestError("There is no such request.")
    return uuid.UUID(call.subject_request_id)
