"""A controller that speaks to the views without a socket, and reads what comes back as it stands."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.test import Client

from compliance.opendsr.dialect import OPENDSR_2, Dialect
from tests.compliance import cast
from tests.compliance.opendsr.messages import encoded

CALLBACK_URL = "http://127.0.0.1:9/called"


def email(value: str = cast.ALICE, identity_format: str = "raw") -> dict[str, str]:
    """An identity object."""
    return {"identity_type": "email", "identity_value": value, "identity_format": identity_format}


def creation(**members: Any) -> dict[str, Any]:
    """A create request with these members in the place of the usual ones."""
    return {
        "regulation": "gdpr",
        "subject_request_id": str(uuid.uuid4()),
        "subject_request_type": "erasure",
        "subject_identities": [email()],
        "submitted_time": datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "api_version": "2.0",
        **members,
    }


@dataclass
class Caller:
    """Who calls: an empty token sends no header."""

    token: str = ""
    dialect: Dialect = OPENDSR_2
    client: Client = field(default_factory=Client)

    def create(self, members: dict[str, Any] | bytes, **options: Any) -> HttpResponse:
        """POST."""
        body = members if isinstance(members, bytes) else encoded(members)
        options = {"content_type": "application/json", **options}
        return self._client("post", self.dialect.requests_path, data=body, **options)

    def created(self, **members: Any) -> str:
        """The id of a new request."""
        asked = creation(**members)
        answer = self.create(asked)
        assert answer.status_code == 201, answer.content
        return str(asked["subject_request_id"])

    def get(self, path: str) -> HttpResponse:
        """GET any path."""
        return self._client("get", path)

    def ask(self, request_id: str) -> HttpResponse:
        """The status."""
        return self.get(self.dialect.request_path(request_id))

    def cancel(self, request_id: str) -> HttpResponse:
        """DELETE."""
        return self._client("delete", self.dialect.request_path(request_id))

    def _client(self, method: str, path: str, **options: Any) -> HttpResponse:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer: HttpResponse = getattr(self.client, method)(path, headers=headers, **options)
        return answer


def members_of(answer: HttpResponse) -> dict[str, Any]:
    """The JSON object in a body."""
    found: dict[str, Any] = json.loads(answer.content)
    return found
