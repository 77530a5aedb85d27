"""Who else has seen a checkpoint: the cosignatures on its note, held against the policy of the trust file."""

from dataclasses import dataclass
from datetime import datetime

from compliance.evidence import cosignature, witness_policy
from compliance.evidence.errors import UnwitnessedError
from compliance.evidence.trust import Trust


@dataclass(frozen=True)
class Witnessing:
    """The cosigners of one checkpoint with their times, and when the quorum was reached (None: no policy to ask)."""

    cosigned_at: dict[str, datetime]
    quorum_at: datetime | None


def witnessing_of(note: bytes, trust: Trust) -> Witnessing:
    """The cosignatures by witnesses of the trust file; raises UnwitnessedError when its quorum is not met.

    Without a policy nothing is asked, and the report says that the checkpoint is unwitnessed.
    """
    if trust.witness_policy_text is None:
        return Witnessing({}, None)
    policy = witness_policy.parse(trust.witness_policy_text)
    cosigned_at = cosignature.verify(note, policy.witness_vkeys())
    missing = policy.missing(cosigned_at)
    if missing is not None:
        raise UnwitnessedError(f"Cosigned by {', '.join(sorted(cosigned_at)) or 'nobody'}: {missing}")
    if policy.quorum is None:
        return Witnessing(cosigned_at, None)
    return Witnessing(cosigned_at, _quorum_at(policy, cosigned_at))


def _quorum_at(policy: witness_policy.WitnessPolicy, cosigned_at: dict[str, datetime]) -> datetime:
    """The earliest moment at which the cosigners until then were enough."""
    moments = sorted(cosigned_at.values())
    for moment in moments:
        if policy.missing({name: at for name, at in cosigned_at.items() if at <= moment}) is None:
            return moment
    return moments[-1]
