"""What a processor posts to a controller when a status changes. Source: OpenDSR 2.0, sections 8.5 and 8.6."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from compliance.evidence import canonical
from compliance.opendsr import addresses, members, responses
from compliance.opendsr.responses import StatusReport


@dataclass(frozen=True)
class Callback:
    """A status as it is told to one address. `report.api_version` is None: a callback has no such member."""

    report: StatusReport
    status_callback_url: str

    def to_bytes(self, domain: str) -> bytes:
        """The body, from the processor at `domain`."""
        return canonical.dumps(
            {**self.report.to_dict(domain), "status_callback_url": self.status_callback_url},
        )


def parse(body: bytes, domain: str, schemes: Collection[str] = addresses.SECURE) -> Callback:
    """A callback of the processor at `domain`, whose signature was verified before; raises MessageError."""
    found = members.read(body)
    url = found.url("status_callback_url", schemes)
    return Callback(replace(responses.read_status(found, domain), api_version=None), url)
