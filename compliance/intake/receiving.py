"""A request is taken in once under a key: whoever sends the same again gets the same answer, token included.

The token is never stored. It is derived from the key, which only the client has, from what was asked, and from a secret
of ours; a copy of the database makes no token, and neither does the key alone.
Source: draft-ietf-httpapi-idempotency-key-header; RFC 2104.

Next: compliance/requests/actions/submit.py
"""

import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from compliance.evidence import canonical
from compliance.intake.errors import KeyReusedError
from compliance.intake.models import SubmissionKey
from compliance.requests import identities
from compliance.requests.actions.submit import Submitted
from compliance.requests.models import DeletionRequest

KEPT = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a client sent: its key, the operation with whoever may repeat it, and the checked members of the body."""

    key: str
    operation: str
    body: Mapping[str, object]

    @property
    def key_hmac(self) -> str:
        """Names the key among those of the same operation."""
        return _hmac("idempotency-key", self.operation, self.key)

    @property
    def body_hmac(self) -> str:
        """Tells another body from the same."""
        return _hmac("idempotency-body", self.operation, dict(self.body))


def once(asked: Asked | None, receive: Callable[[], Submitted]) -> Submitted:
    """What `receive` makes; under a key that was used in the last 24 hours, what it made then.

    Without a key it is called in any case. Raises KeyReusedError for another body, and what `receive` raises; then the
    key is free again. Of two at the same time, one waits for the other and gets the same.
    """
    if asked is None:
        return receive()
    with transaction.atomic():
        claimed = _claim(asked)
        return _repeated(asked) if claimed is None else _received(asked, claimed, receive)


def forget_old_keys(now: datetime) -> None:
    """Delete keys that have had their time, and those of requests that were shredded."""
    SubmissionKey.objects.filter(created_at__lt=now - KEPT).delete()
    SubmissionKey.objects.filter(request__vault__shredded_at__isnull=False).delete()


def _claim(asked: Asked) -> SubmissionKey | None:
    """The row of this key, new; None when there is one. The unique column makes others wait until this one commits."""
    now = datetime.now(tz=UTC)
    SubmissionKey.objects.filter(key_hmac=asked.key_hmac, created_at__lt=now - KEPT).delete()
    try:
        with transaction.atomic():
            return SubmissionKey.objects.create(key_hmac=asked.key_hmac, body_hmac=asked.body_hmac, created_at=now)
    except IntegrityError:
        return None


def _received(asked: Asked, claimed: SubmissionKey, receive: Callable[[], Submitted]) -> Submitted:
    request = receive().request
    token = _token(asked, claimed)
    request.token_sha256 = identities.token_sha256(token)
    DeletionRequest.objects.filter(pk=request.pk).update(token_sha256=request.token_sha256)
    SubmissionKey.objects.filter(pk=claimed.pk).update(request=request)
    return Submitted(request=request, token=token)


def _repeated(asked: Asked) -> Submitted:
    row = SubmissionKey.objects.select_related("request").filter(key_hmac=asked.key_hmac).first()
    if row is None or row.request is None or not identities.same(row.body_hmac, asked.body_hmac):
        raise KeyReusedError(
            "Idempotency-Key: expected a new key, or the same body as with the first request under it; found neither."
        )
    return Submitted(request=row.request, token=_token(asked, row))


def _token(asked: Asked, row: SubmissionKey) -> str:
    digest = _digest("status-token", str(row.pk), asked.operation, asked.key, dict(asked.body))
    # As long as any other token of a person, who may have to copy it.
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _hmac(*parts: object) -> str:
    return _digest(*parts).hex()


def _digest(*parts: object) -> bytes:
    # Canonical JSON, so that no part can run over into the next.
    return hmac.digest(settings.PSEUDONYM_KEY, canonical.dumps(list(parts)), "sha256")
