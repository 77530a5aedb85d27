"""What a job leaves: its request, its entries, its evidence."""

from collections import Counter

from compliance.evidence import dsse
from compliance.evidence.statement import EvidenceFacts, parse_statement
from compliance.requests import queries
from compliance.requests.models import DeletionRequest, Evidence, Job

#: One of each, however often the work was begun.
WORK = ("job.started", "job.recorded", "findings.recorded", "evidence.attached")


def request_of(job: Job) -> DeletionRequest:
    """The request of a job with one target."""
    return DeletionRequest.objects.get(targets__job=job)


def counts(job: Job) -> Counter[str]:
    """How many ledger entries of each type the request of a job has."""
    return Counter(entry.event_type for entry in queries.timeline(request_of(job).pk))


def facts_of(evidence: Evidence) -> EvidenceFacts:
    """What was signed."""
    return parse_statement(dsse.parse_envelope(bytes(evidence.envelope)).payload)
