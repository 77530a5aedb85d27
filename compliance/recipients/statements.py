"""What a notice says: an in-toto Statement v1 about the versions that forgot, with whom they forgot.

No more than the recipient needs: the models it has to do with, and the person in the form agreed with it.
Source: in-toto/attestation, spec/v1/statement.md.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.urls import reverse

from compliance.evidence import canonical
from compliance.evidence.statement import STATEMENT_TYPE
from compliance.recipients.models import Article, IdentifierForm, Notice
from compliance.requests import identities
from compliance.requests.errors import NotReadyError
from compliance.requests.models import Target

PREDICATE_TYPE = "https://expunge.dev/recipient-notice/v1"
#: A copy that turns up later must not be acted upon. Acknowledgements are taken at any time.
VALID_FOR = timedelta(days=30)


def expires_at(issued_at: datetime) -> datetime:
    """From when a notice is too old to act upon."""
    return issued_at + VALID_FOR


def statement(notice: Notice, token: str) -> dict[str, Any]:
    """The statement of an issued notice, the same in each try; raises VaultError, and NotReadyError without a version."""
    if notice.issued_at is None:
        raise NotReadyError("The notice was not issued yet.")
    targets = notice.request.targets.filter(model__in=notice.models.all()).select_related("model", "job__after")
    rows = list(targets.order_by("model__name"))
    return {
        "_type": STATEMENT_TYPE,
        "subject": [_subject(target) for target in rows],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "notice": str(notice.pk),
            "request": str(notice.request_id),
            "recipient": str(notice.recipient_id),
            "sender": settings.CONTROLLER_NAME,
            "regulation": notice.request.regulation,
            "article": notice.article,
            "asked": "erase_links_and_copies" if notice.article == Article.ART_17_2 else "erase",
            "identifiers": [_identifier(notice)],
            "models": [{"name": target.model.name, "assurance": _assurance(target)} for target in rows],
            "issued_at": _spelled(notice.issued_at),
            "expires_at": _spelled(expires_at(notice.issued_at)),
            "acknowledgement": {"url": acknowledgement_url(notice), "token": token},
        },
    }


def acknowledgement_url(notice: Notice) -> str | None:
    """Where the answer goes; None while EXPUNGE_PORTAL_ADDRESS does not say where this service is."""
    if not settings.PORTAL_ADDRESS:
        return None
    return urljoin(settings.PORTAL_ADDRESS, reverse("api:recipient-acknowledgement", args=[notice.pk]))


def _identifier(notice: Notice) -> dict[str, str]:
    vault, form = notice.request.vault, notice.recipient.identifier_form
    value = identities.identifier(vault)
    if form == IdentifierForm.SHA256:
        value = sha256(value.encode()).hexdigest()
    return {"type": vault.identifier_kind, "form": form, "value": value}


def _subject(target: Target) -> dict[str, Any]:
    if target.job is None or target.job.after is None:
        raise NotReadyError("A model that forgot has no new version: this must not happen. Ask an administrator.")
    return {"name": target.model.name, "digest": {"sha256": target.job.after.sha256}}


def _assurance(target: Target) -> str:
    if target.job is None or target.job.outcome is None:
        raise NotReadyError("A model that forgot has no outcome: this must not happen. Ask an administrator.")
    return str(target.job.outcome["assurance"])


def _spelled(at: datetime) -> str:
    return canonical.format_time(at.astimezone(UTC).replace(microsecond=0))
