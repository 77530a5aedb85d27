"""Makes the text of a notice for one try: with the same token and times in each, until it has expired.

The ledger gets a commitment under the request's key, never a plain hash: an address can be guessed, and a plain hash
would say whether the guess is right.
"""

import secrets
from datetime import UTC, datetime
from hashlib import sha256

from compliance.evidence import canonical, commitment
from compliance.recipients import progress, statements
from compliance.recipients.models import Notice
from compliance.requests import identities

#: The purpose in the commitment; its payload is the statement.
LABEL = "notice"
_TOKEN_BYTES = 32


def issue(notice: Notice) -> bytes:
    """The canonical bytes of the statement, whose digests are on the row now; raises VaultError, StateError."""
    now = datetime.now(tz=UTC)
    if notice.issued_at is None or statements.expires_at(notice.issued_at) <= now:
        _begin(notice, now)
    token = identities.open_note(notice.request.vault, notice.sealed_token)
    statement = statements.statement(notice, token)
    payload = canonical.dumps(statement)
    committed = commitment.commit(identities.commitment_key(notice.request.vault), LABEL, statement)
    progress.rendered(notice, notice_sha256=sha256(payload).hexdigest(), commitment=committed)
    return payload


def _begin(notice: Notice, now: datetime) -> None:
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    progress.issued(
        notice,
        issued_at=now.replace(microsecond=0),
        sealed_token=identities.seal_note(notice.request.vault, token),
        token_sha256=identities.token_sha256(token),
    )
