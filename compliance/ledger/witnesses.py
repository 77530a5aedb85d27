"""Asks the witnesses of the policy to cosign a checkpoint, all at once, and keeps what they sign.

A witness is asked with a proof from what it cosigned last. When it remembers another size it says so, and is asked
once more from there. One that holds more entries than were ever signed here, or another history of the same entries,
raises the alarm: either this database lost a part of the ledger, or somebody else signs with its key.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from compliance.evidence import consistency, cosignature, witness_client, witness_policy
from compliance.evidence.cosignature import Cosignature as SignedLine
from compliance.evidence.errors import ConsistencyError, EvidenceError
from compliance.evidence.witness_client import WitnessError, WitnessInconsistentError, WitnessSizeError
from compliance.evidence.witness_policy import Witness, WitnessPolicy
from compliance.ledger import log_files, logs, outsiders, trust_file
from compliance.ledger.models import Cosignature, Log, SignedCheckpoint

_ADVICE = (
    " Stop the checkpointer and look: was a backup restored, or is the key of the ledger in other hands? Keep the "
    "checkpoint that the witness shows."
)
# The witness answered with its signed line, or with a reason why there is none.
_Answer = SignedLine | WitnessError


def policy() -> WitnessPolicy | None:
    """The policy that EXPUNGE_WITNESS_POLICY_FILE names, None without one; raises TrustFileError."""
    text = trust_file.witness_policy_text()
    return None if text is None else witness_policy.parse(text)


def outsider(witness: Witness, log: Log) -> str:
    """Under which name the state of a witness is kept: one that does not know a log may well know the next."""
    return f"witness {witness.name} of {log_files.folder_of(log.origin)}"


def verified_lines(head: SignedCheckpoint, asked: WitnessPolicy | None) -> dict[str, bytes]:
    """The cosignatures of a head that verify under this policy, by the name of the witness, in the order of names."""
    vkeys = {} if asked is None else asked.witness_vkeys()
    found: dict[str, bytes] = {}
    for row in head.cosignatures.filter(witness__in=list(vkeys)).order_by("witness", "pk"):
        if row.witness not in found and _is_line_of(bytes(row.line), vkeys[row.witness], bytes(head.note)):
            found[row.witness] = bytes(row.line)
    return found


def _is_line_of(line: bytes, vkey: str, note: bytes) -> bool:
    """Whether this is one line, and all of it the cosignature of this witness on the note."""
    try:
        return [each.line for each in cosignature.cosignatures(note + line, vkey)] == [line]
    except EvidenceError:
        return False


def request_cosignatures(head: SignedCheckpoint, asked: WitnessPolicy) -> int:
    """Ask each witness with a URL that has not cosigned this head and may be asked; returns how many cosigned."""
    done = verified_lines(head, asked)
    open_ones = [witness for witness in asked.witnesses if witness.url is not None and witness.name not in done]
    ready = [witness for witness in open_ones if outsiders.may_be_asked(outsider(witness, head.log))]
    sizes = {witness: _cosigned_size(head, witness) for witness in ready}
    n_cosigned = 0
    for may_repeat in (True, False):
        answers = _ask(head, sizes)
        sizes = {}
        for witness, answer in answers.items():
            if isinstance(answer, SignedLine):
                _keep(head, witness, answer)
                n_cosigned += 1
            elif isinstance(answer, WitnessSizeError) and answer.witness_size <= head.size and may_repeat:
                sizes[witness] = answer.witness_size
            else:
                _tell(head, witness, answer)
    return n_cosigned


def _ask(head: SignedCheckpoint, sizes: Mapping[Witness, int]) -> dict[Witness, _Answer]:
    """One request to each witness, in threads that do not touch the database."""
    note, paths = bytes(head.note), {}
    for witness, old_size in sizes.items():
        try:
            paths[witness] = consistency.path_between(old_size, head.size, logs.reader(head.log))
        except ConsistencyError as error:
            outsiders.failed(outsider(witness, head.log), str(error))
    if not paths:
        return {}
    with ThreadPoolExecutor(max_workers=len(paths)) as pool:
        calls = {witness: pool.submit(_call, witness, sizes[witness], path, note) for witness, path in paths.items()}
        return {witness: call.result() for witness, call in calls.items()}


def _call(witness: Witness, old_size: int, path: Sequence[bytes], note: bytes) -> _Answer:
    try:
        return witness_client.add_checkpoint(str(witness.url), witness.vkey, old_size, path, note)
    except WitnessError as error:
        return error
    except ValueError as error:
        return WitnessError(f"The witness cannot be asked. {error}")


def _keep(head: SignedCheckpoint, witness: Witness, signed: SignedLine) -> None:
    Cosignature.objects.get_or_create(
        checkpoint=head, witness=witness.name, line=signed.line, defaults={"cosigned_at": signed.cosigned_at}
    )
    outsiders.succeeded(outsider(witness, head.log))


def _tell(head: SignedCheckpoint, witness: Witness, error: WitnessError) -> None:
    name = outsider(witness, head.log)
    if isinstance(error, WitnessInconsistentError):
        outsiders.raised_alarm(name, f"{error}{_ADVICE}")
    elif isinstance(error, WitnessSizeError):
        newest = logs.last_checkpoint(head.log)
        signed_size = head.size if newest is None else newest.size
        if error.witness_size > signed_size:
            problem = f"It cosigned {error.witness_size} entries of {head.log.origin}; {signed_size} were signed here."
            outsiders.raised_alarm(name, f"{problem}{_ADVICE}")
        # Otherwise it has seen a newer head than this one already: that one is asked about next.
    else:
        outsiders.failed(name, str(error))


def _cosigned_size(head: SignedCheckpoint, witness: Witness) -> int:
    """The size of this log that the witness cosigned last, as far as is known here; 0 before the first time."""
    rows = Cosignature.objects.filter(checkpoint__log=head.log, witness=witness.name).order_by("-checkpoint__size")
    size: int | None = rows.values_list("checkpoint__size", flat=True).first()
    return size or 0
