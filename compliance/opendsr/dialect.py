"""Two versions of one protocol: what OpenDSR 2.0 and OpenGDPR 1.0 call the same things.

A processor has to honour the routes and headers of the earlier name. Source: OpenDSR 2.0, section 10.1; OpenGDPR 1.0.
"""

from dataclasses import dataclass

from compliance.opendsr.vocabulary import Regulation


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """Names of one version. `default_regulation` stands in for a missing member; None: the member is required."""

    api_version: str
    discovery_path: str
    requests_path: str
    domain_header: str
    signature_header: str
    default_regulation: Regulation | None

    def request_path(self, subject_request_id: str) -> str:
        """Where a request is asked about and cancelled."""
        return f"{self.requests_path}/{subject_request_id}"


OPENDSR_2 = Dialect(
    api_version="2.0",
    discovery_path="/v2/discovery",
    requests_path="/v2/requests",
    domain_header="X-OpenDSR-Processor-Domain",
    signature_header="X-OpenDSR-Signature",
    default_regulation=None,
)
# The member `regulation` came with 2.0; before, the name of the protocol said which law was meant.
OPENGDPR_1 = Dialect(
    api_version="1.0",
    discovery_path="/v1/discovery",
    requests_path="/v1/opengdpr_requests",
    domain_header="X-OpenGDPR-Processor-Domain",
    signature_header="X-OpenGDPR-Signature",
    default_regulation=Regulation.GDPR,
)
DIALECTS = (OPENDSR_2, OPENGDPR_1)
