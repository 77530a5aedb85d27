"""A recipient's answer, and what proves that it is the recipient's: a signature, or the token of the notice.

Each names the notice and its digest, so that what was asked is inside what was answered (as in IAB DDRF 1.0). It holds
words of closed lists alone: nothing about a person fits in.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from compliance.evidence import canonical, dsse
from compliance.recipients import public_keys
from compliance.recipients.errors import AcknowledgementRefusedError
from compliance.recipients.models import AcknowledgedResult, Notice
from compliance.requests import identities
from compliance.requests.choices import chosen
from compliance.requests.errors import InvalidInputError, NotFoundError
from compliance.requests.models import RefusalReason

PAYLOAD_TYPE = "application/vnd.expunge.recipient-acknowledgement+json"
MAX_PAYLOAD_BYTES = 2048
_MEMBERS = {"notice", "notice_sha256", "result"}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the recipient says. `reason` is a code of RefusalReason where it refused, and "" else."""

    notice: str
    notice_sha256: str
    result: str
    reason: str = ""

    def to_bytes(self) -> bytes:
        """Canonical JSON; `reason` is there only where there is one."""
        members = {"notice": self.notice, "notice_sha256": self.notice_sha256, "result": self.result}
        return canonical.dumps({**members, "reason": self.reason} if self.reason else members)


@dataclass(frozen=True)
class Proven:
    """An answer that is the recipient's, and the bytes that show it."""

    answer: Answer
    document: bytes

    @property
    def sha256(self) -> str:
        """Digest of the document."""
        return sha256(self.document).hexdigest()


class Given(Protocol):
    """Something that came in."""

    def proven(self, notice: Notice) -> Proven:
        """The answer to this notice; raises NotFoundError, AcknowledgementRefusedError, InvalidInputError."""
        ...


@dataclass(frozen=True, kw_only=True)
class ByToken:
    """An answer with the token of the notice. Only of a recipient that has no key here."""

    token: str
    notice_sha256: str
    result: str
    reason: str = ""

    def proven(self, notice: Notice) -> Proven:
        """The document is the answer without the token. A wrong token and an unknown notice are not told apart."""
        digest = identities.token_sha256(self.token)
        if not notice.token_sha256 or not identities.same(digest, notice.token_sha256):
            raise NotFoundError(f"There is no notice {notice.pk}.")
        if notice.recipient.public_key:
            raise AcknowledgementRefusedError(
                "Expected an acknowledgement signed with the key that you registered, found one with a token alone."
            )
        answer = checked_answer(notice, self.notice_sha256, self.result, self.reason)
        return Proven(answer, answer.to_bytes())


@dataclass(frozen=True, kw_only=True)
class BySignature:
    """A DSSE envelope around an answer."""

    payload: bytes
    payload_type: str
    signature: bytes

    def proven(self, notice: Notice) -> Proven:
        """The document is the envelope, under the fingerprint of the recipient's key."""
        if not notice.recipient.public_key or self.payload_type != PAYLOAD_TYPE:
            raise AcknowledgementRefusedError(
                f"Expected an envelope of the type {PAYLOAD_TYPE} from a recipient with a registered key, found another."
            )
        key = public_keys.load(notice.recipient.public_key)
        envelope = dsse.Envelope(self.payload, PAYLOAD_TYPE, dsse.public_key_sha256(key), self.signature)
        if not public_keys.is_signed(key, self.signature, envelope.pae()):
            raise AcknowledgementRefusedError("The signature does not verify under the key that you registered.")
        return Proven(_read(notice, self.payload), envelope.to_bytes())


def checked_answer(notice: Notice, notice_sha256: str, result: str, reason: str) -> Answer:
    """The answer, if it is to this notice and says something allowed; raises AcknowledgementRefusedError, InvalidInputError."""
    if not notice.notice_sha256 or not identities.same(notice_sha256, notice.notice_sha256):
        raise AcknowledgementRefusedError("notice_sha256: expected the digest of this notice, found another.")
    refuse_unfit(result, reason)
    return Answer(notice=str(notice.pk), notice_sha256=notice_sha256, result=result, reason=reason)


def refuse_unfit(result: str, reason: str) -> None:
    """Raises InvalidInputError for another result or reason, or for a reason that belongs to none."""
    given = chosen(AcknowledgedResult, "result", result)
    if (given is AcknowledgedResult.REFUSED) != bool(reason):
        raise InvalidInputError("reason: expected one where the result is refused, and none else.")
    if reason:
        chosen(RefusalReason, "reason", reason)


def _read(notice: Notice, payload: bytes) -> Answer:
    """Canonical JSON alone: a second spelling could carry what is on no list."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise InvalidInputError(f"payload: expected at most {MAX_PAYLOAD_BYTES} bytes, found {len(payload)}.")
    try:
        value: Any = canonical.loads(payload)
    except ValueError as error:
        raise InvalidInputError("payload: expected canonical JSON (RFC 8785), found something else.") from error
    if not isinstance(value, dict) or not _MEMBERS <= set(value) <= _MEMBERS | {"reason"}:
        raise InvalidInputError(f"payload: expected the members {', '.join(sorted(_MEMBERS))}, found others.")
    if not all(isinstance(member, str) for member in value.values()):
        raise InvalidInputError("payload: expected texts, found another type.")
    if value["notice"] != str(notice.pk):
        raise AcknowledgementRefusedError("notice: expected the id of this notice, found another.")
    return checked_answer(notice, value["notice_sha256"], value["result"], value.get("reason", ""))
