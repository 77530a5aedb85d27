"""Everything that can be wrong with evidence: one class and one exit code for each kind, with a sentence and a remedy.

Exit codes are a public interface: scripts of auditors branch on them. Numbers are never reused.
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What `python -m compliance.evidence verify` returns."""

    VERIFIED = 0
    UNEXPECTED_ERROR = 1
    USAGE = 2
    UNREADABLE = 3
    NOT_A_BUNDLE = 10
    TOO_LARGE = 11
    UNSAFE_MEMBER = 12
    MISSING_FILE = 13
    UNEXPECTED_FILE = 14
    MALFORMED_FILE = 15
    TRUST_FILE = 16
    CHECKPOINT_MALFORMED = 20
    CHECKPOINT_SIGNATURE = 21
    CHECKPOINT_KEY = 22
    ENTRY_CHANGED = 23
    PROOF_CHANGED = 24
    CHECKPOINT_UNWITNESSED = 25
    CONSISTENCY = 26
    LOG_CONTENT = 27
    LOG_SUCCESSION = 28
    LEAF_SCHEMA = 30
    CHAIN_BROKEN = 31
    OPENING_MISMATCH = 32
    ACTOR_ROLE = 33
    EVIDENCE_MALFORMED = 40
    EVIDENCE_PAYLOAD = 41
    EVIDENCE_SIGNATURE = 42
    EVIDENCE_KEY = 43
    TIMESTAMP = 44
    KEY_NOT_VALID = 45
    SIGSTORE_MALFORMED = 46
    SWAPPED_REQUEST = 50
    SWAPPED_MODEL = 51
    POLICY_MISMATCH = 52
    POLICY_AFTER_RUN = 53
    CHALLENGE_MISMATCH = 54
    FINDINGS_MISMATCH = 55
    JOB_MISMATCH = 56
    SCOPE_MISMATCH = 57
    COMPLETION_MISMATCH = 60
    SAME_SIGNER = 61
    CLOSING_STATEMENT = 62


class EvidenceError(ValueError):
    """Evidence that must not be relied upon. The message says what was expected and what was found."""

    code: ClassVar[ExitCode] = ExitCode.UNEXPECTED_ERROR
    meaning: ClassVar[str] = "the evidence could not be checked"
    remedy: ClassVar[str] = "Ask the controller for a new export of this request."


class UnreadableError(EvidenceError):
    """A path that cannot be opened."""

    code = ExitCode.UNREADABLE
    meaning = "a file or key named on the command line cannot be read as what it should be"
    remedy = "Check what you named: its path, its permissions, and that it is the right file."


class NotABundleError(EvidenceError):
    """Not a ZIP archive, or a ZIP archive of something else."""

    code = ExitCode.NOT_A_BUNDLE
    meaning = "the file is not an Expunge bundle, or it was damaged or packed anew on the way"
    remedy = "Download the bundle again and verify the very file that you received."


class TooLargeError(EvidenceError):
    """An archive that would unpack to more than the limit."""

    code = ExitCode.TOO_LARGE
    meaning = "the archive unpacks to more than a bundle may hold"
    remedy = "Do not unpack it by hand. Ask the controller for a new export."


class UnsafeMemberError(EvidenceError):
    """A member that could be read in two ways or land outside its folder."""

    code = ExitCode.UNSAFE_MEMBER
    meaning = "the archive holds a duplicate, encrypted, compressed, absolute or otherwise unsafe member"
    remedy = "Do not unpack it by hand. Ask the controller for a new export."


class MissingFileError(EvidenceError):
    """A file that must be there is not."""

    code = ExitCode.MISSING_FILE
    meaning = "a file that the bundle must hold is missing"


class UnexpectedFileError(EvidenceError):
    """A file that nothing accounts for."""

    code = ExitCode.UNEXPECTED_FILE
    meaning = "the bundle holds a file that nothing accounts for"
    remedy = "Do not rely on that file. Ask the controller for a new export."


class MalformedFileError(EvidenceError):
    """README.txt, bundle.json, openings.json, policy.json or a key file is not in its format."""

    code = ExitCode.MALFORMED_FILE
    meaning = "README.txt, bundle.json, openings.json, policy.json or a key file is not in its format"


class CheckpointMalformedError(EvidenceError):
    """Not a C2SP signed note with a checkpoint in it."""

    code = ExitCode.CHECKPOINT_MALFORMED
    meaning = "the checkpoint is not a C2SP signed note"


class CheckpointSignatureError(EvidenceError):
    """The right key's name, a wrong signature."""

    code = ExitCode.CHECKPOINT_SIGNATURE
    meaning = "the checkpoint's signature is invalid: its text was changed after signing"
    remedy = "Fetch the checkpoint of the same size from the ledger's public address and compare."


class CheckpointKeyError(EvidenceError):
    """No signature by a key that is trusted."""

    code = ExitCode.CHECKPOINT_KEY
    meaning = "the checkpoint is not signed by the ledger key you trust"
    remedy = "Compare the fingerprint of the ledger key with the one obtained out of band."


class EntryChangedError(EvidenceError):
    """An entry is not in the log."""

    code = ExitCode.ENTRY_CHANGED
    meaning = "a ledger entry was changed: the log does not contain these bytes"


class ProofError(EvidenceError):
    """A Merkle proof that is malformed or does not lead to the root."""

    code = ExitCode.PROOF_CHANGED
    meaning = "an inclusion proof was changed: it does not lead from the entry to the checkpoint"


class LeafError(EvidenceError):
    """A ledger leaf that is not on the allow-list, or not in canonical form."""

    code = ExitCode.LEAF_SCHEMA
    meaning = "a ledger entry does not follow the allow-list of entries"


class ChainError(EvidenceError):
    """The request's events do not form one unbroken chain."""

    code = ExitCode.CHAIN_BROKEN
    meaning = "the request's events are not one unbroken chain: one is missing, foreign or out of order"


class OpeningError(EvidenceError):
    """An opening that does not match its commitment."""

    code = ExitCode.OPENING_MISMATCH
    meaning = "the disclosed request or scope is not what was committed to in the ledger"


class ActorRoleError(EvidenceError):
    """An entry that its actor's role may not write."""

    code = ExitCode.ACTOR_ROLE
    meaning = "an entry says something that the role of its author may not do"
    remedy = "Rights were not kept inside the organisation, or the entry was made up: raise it with the controller."


class EvidenceMalformedError(EvidenceError):
    """Not a DSSE envelope with exactly one signature over an allow-listed in-toto statement."""

    code = ExitCode.EVIDENCE_MALFORMED
    meaning = "the evidence is not a DSSE envelope around an allow-listed in-toto statement"


class EvidencePayloadError(EvidenceError):
    """The signed statement differs from the one in the ledger."""

    code = ExitCode.EVIDENCE_PAYLOAD
    meaning = "the statement was changed: its digest differs from the one in the ledger"


class EvidenceSignatureError(EvidenceError):
    """The signature does not verify or is not the one in the ledger."""

    code = ExitCode.EVIDENCE_SIGNATURE
    meaning = "the evidence's signature is invalid, or is not the one in the ledger"


class EvidenceSignerError(EvidenceError):
    """Signed with a key that is not trusted."""

    code = ExitCode.EVIDENCE_KEY
    meaning = "the evidence is signed with a key you do not trust"
    remedy = "Compare the fingerprint of the evidence key with the one obtained out of band."


class SwappedRequestError(EvidenceError):
    """Genuine evidence of another request."""

    code = ExitCode.SWAPPED_REQUEST
    meaning = "entries or evidence belong to another request"


class SwappedModelError(EvidenceError):
    """A model manifest, or evidence about a model, that is not the one in the ledger."""

    code = ExitCode.SWAPPED_MODEL
    meaning = "a model manifest is not the one that the job recorded in the ledger"


class PolicyMismatchError(EvidenceError):
    """The policy shown is not the policy recorded before the run."""

    code = ExitCode.POLICY_MISMATCH
    meaning = "the policy shown is not the one that was recorded, or the evidence does not follow it"


class PolicyOrderError(EvidenceError):
    """Something was recorded after what it should have preceded."""

    code = ExitCode.POLICY_AFTER_RUN
    meaning = "the policy was recorded after the run, or the run, its findings and evidence are out of order"


class ChallengeError(EvidenceError):
    """The evidence does not carry the checkpoint that the job fetched when it started."""

    code = ExitCode.CHALLENGE_MISMATCH
    meaning = "the evidence does not carry the challenge of its job: it may have been made earlier"


class FindingsError(EvidenceError):
    """Findings, verdict and result do not agree."""

    code = ExitCode.FINDINGS_MISMATCH
    meaning = "findings, verdict and result do not agree with each other, the ledger or the policy"


class JobMismatchError(EvidenceError):
    """The evidence names another run, method or configuration than the ledger."""

    code = ExitCode.JOB_MISMATCH
    meaning = "the evidence names another run, method or configuration than the ledger"


class ScopeMismatchError(EvidenceError):
    """The evidence is about other records than those approved, or a model of the scope is left out."""

    code = ExitCode.SCOPE_MISMATCH
    meaning = "the evidence does not cover the records and models that were approved"


class CompletionError(EvidenceError):
    """The completion does not rest on exactly the attached evidence."""

    code = ExitCode.COMPLETION_MISMATCH
    meaning = "the completion does not rest on exactly the evidence attached here"


class SameSignerError(EvidenceError):
    """One person decided, or excepted a model, and signed off."""

    code = ExitCode.SAME_SIGNER
    meaning = "decision and second signature were not given by two different persons"
    remedy = "The four-eyes rule was broken inside the organisation: raise it with the controller."


class TrustFileError(EvidenceError):
    """A trust file that is not in its format, or not the one whose fingerprint was given."""

    code = ExitCode.TRUST_FILE
    meaning = "the trust file is not in its format, or is not the one whose fingerprint you gave"
    remedy = "Ask the controller for the trust file again and compare its fingerprint on another way."


class UnwitnessedError(EvidenceError):
    """A checkpoint that too few of the witnesses you rely on have cosigned."""

    code = ExitCode.CHECKPOINT_UNWITNESSED
    meaning = "the checkpoint lacks the cosignatures that your policy asks for: others may be shown another log"
    remedy = "Ask the controller for a newer export, and a witness for the checkpoint that it holds of this log."


class ConsistencyError(EvidenceError):
    """Two checkpoints of one log of which the later does not extend the earlier."""

    code = ExitCode.CONSISTENCY
    meaning = "the log does not begin with the entries that an earlier checkpoint was signed over: history was changed"
    remedy = "Keep both checkpoints: together they prove that the ledger key signed two histories."


class LogContentError(EvidenceError):
    """Entries or tiles of a log that do not have the signed root."""

    code = ExitCode.LOG_CONTENT
    meaning = "the entries or tiles of the log are not those that the checkpoint was signed over"


class LogSuccessionError(EvidenceError):
    """A log that does not begin where the one before it ended."""

    code = ExitCode.LOG_SUCCESSION
    meaning = "one yearly log does not begin where the one before it ended"


class TimestampError(EvidenceError):
    """An RFC 3161 token that does not verify."""

    code = ExitCode.TIMESTAMP
    meaning = "a time stamp token is missing, damaged, about other bytes, or not from an authority you trust"


class KeyValidityError(EvidenceError):
    """Evidence signed outside the time in which its key was valid."""

    code = ExitCode.KEY_NOT_VALID
    meaning = "the evidence was signed before its key was valid, after it was retired, or after it was distrusted"
    remedy = "Ask the controller to run the job again under a valid key."


class SigstoreBundleError(EvidenceError):
    """Not the one Sigstore bundle that its parts determine."""

    code = ExitCode.SIGSTORE_MALFORMED
    meaning = "a Sigstore bundle is not in its format, or its parts are not those of the ledger entry"


class ClosingStatementError(EvidenceError):
    """A closing statement that says something else than the ledger."""

    code = ExitCode.CLOSING_STATEMENT
    meaning = "the signed summary of a completed request is missing, or does not agree with ledger and evidence"
