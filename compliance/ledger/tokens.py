"""Which stored time stamps count: those that verify as an auditor would, under the authorities that are configured.

Rows of time stamps cannot be removed. One that is nobody's token must neither be shown nor stand in for a real one.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from compliance.evidence import timestamp
from compliance.evidence.errors import TimestampError, TrustFileError
from compliance.ledger import trust_file
from compliance.ledger.models import SignedCheckpoint

Authorities = Sequence[Sequence[str]]


def verified_at(token: bytes, data: bytes, authorities: Authorities) -> datetime | None:
    """The time in a token over these bytes, None where no authority of ours gave it."""
    for authority in authorities:
        try:
            return timestamp.verify(token, data, authority)
        except TimestampError:
            continue
    return None


def configured_authorities() -> Authorities:
    """The authorities of the settings; none while their file cannot be read, which others say."""
    try:
        return trust_file.timestamp_authorities()
    except TrustFileError:
        return ()


def of_checkpoint(head: SignedCheckpoint) -> bytes | None:
    """A token over the note of a head that verifies under the configured authorities."""
    rows = head.timestamps.order_by("pk").values_list("token", flat=True)
    return next(iter(that_verify(map(bytes, rows), bytes(head.note))), None)


def that_verify(tokens: Iterable[bytes], data: bytes) -> tuple[bytes, ...]:
    """Those of these tokens that are over these bytes, under the configured authorities."""
    authorities = configured_authorities()
    return tuple(token for token in tokens if verified_at(token, data, authorities) is not None)
