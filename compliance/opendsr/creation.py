"""The message that creates a request. Source: OpenDSR 2.0, sections 7.1.1 and 7.1.2; OpenGDPR 1.0, section 7.1.

Members that the protocol does not define are passed over and kept nowhere, except in identity objects, where they are
refused. Of `extensions` only the object under our own domain is read; those of other processors are not ours to see.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from compliance.evidence import canonical
from compliance.opendsr import addresses, identities, members
from compliance.opendsr.dialect import Dialect
from compliance.opendsr.errors import MessageError, Reason
from compliance.opendsr.identities import Identity
from compliance.opendsr.members import Members
from compliance.opendsr.vocabulary import Regulation, SubjectRequestType

MAX_IDENTITIES = 100
MAX_CALLBACK_URLS = 10


@dataclass(frozen=True, kw_only=True)
class CreateRequest:
    """What a controller asks for. `submitted_at` is when the person asked the controller, in UTC.

    `extension` is the object under our own domain, of JSON types and not interpreted; it may hold personal data.
    """

    regulation: Regulation
    subject_request_id: uuid.UUID
    type: SubjectRequestType
    identities: tuple[Identity, ...]
    submitted_at: datetime
    api_version: str | None = None
    status_callback_urls: tuple[str, ...] = ()
    extension: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def to_bytes(self, domain: str) -> bytes:
        """The body that a controller sends to the processor at `domain`; absent members are left out."""
        optional = {
            "api_version": self.api_version,
            "status_callback_urls": list(self.status_callback_urls),
            "extensions": {domain: dict(self.extension)} if self.extension else None,
        }
        return canonical.dumps(
            {
                "regulation": self.regulation.value,
                "subject_request_id": str(self.subject_request_id),
                "subject_request_type": self.type.value,
                "subject_identities": [identity.to_dict() for identity in self.identities],
                "submitted_time": members.format_time(self.submitted_at),
                **{name: value for name, value in optional.items() if value},
            }
        )


def parse(
    body: bytes, dialect: Dialect, domain: str, callback_schemes: Collection[str] = addresses.SECURE
) -> CreateRequest:
    """The request in a body that was sent to the processor at `domain`; raises MessageError."""
    found = members.read(body)
    return CreateRequest(
        regulation=_regulation(found, dialect),
        subject_request_id=found.uuid4("subject_request_id"),
        type=found.choice("subject_request_type", SubjectRequestType),
        identities=_identities(found),
        submitted_at=found.time("submitted_time"),
        api_version=found.version("api_version"),
        status_callback_urls=_callback_urls(found, callback_schemes),
        extension=_own_extension(found, domain),
    )


def _regulation(found: Members, dialect: Dialect) -> Regulation:
    if dialect.default_regulation is not None and not found.has("regulation"):
        return dialect.default_regulation
    return found.choice("regulation", Regulation)


def _identities(found: Members) -> tuple[Identity, ...]:
    """At least one. The protocol lets an extension hold them instead; we publish none that does."""
    parsed = tuple(identities.parse(each) for each in found.objects("subject_identities", MAX_IDENTITIES))
    if not parsed:
        raise MessageError("subject_identities", Reason.MISSING, "at least one identity object")
    return tuple(dict.fromkeys(parsed))


def _callback_urls(found: Members, schemes: Collection[str]) -> tuple[str, ...]:
    """Each address once: a second mention of the same one asks for nothing more."""
    if not found.has("status_callback_urls"):
        return ()
    urls = found.array("status_callback_urls", MAX_CALLBACK_URLS)
    checked = [members.checked_url(f"status_callback_urls[{index}]", url, schemes) for index, url in enumerate(urls)]
    return tuple(dict.fromkeys(checked))


def _own_extension(found: Members, domain: str) -> Mapping[str, Any]:
    if not found.has("extensions"):
        return {}
    extensions = found.object("extensions")
    own = extensions.object(domain).values if extensions.has(domain) else {}
    if not _has_canonical_form(own):
        expected = "JSON without lone surrogates and with numbers that a double holds"
        raise MessageError(extensions.name_of(domain), Reason.WRONG_VALUE, expected)
    return own


def _has_canonical_form(value: Mapping[str, Any]) -> bool:
    """Without one (a lone surrogate, an infinite number) it can be neither stored nor sent on."""
    try:
        canonical.dumps(value)
    except ValueError:
        return False
    return True
