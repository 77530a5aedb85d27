"""Older heads of a log that lie beside its entries: logs/LOG/earlier/SIZE.checkpoint.

The newest head is cosigned when the export is made. Where an evidence key is distrusted since, that is too late to show
that a signature is older; a head that witnesses saw before shows it for every entry under it.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from compliance.evidence import membership, witnessing
from compliance.evidence.errors import ConsistencyError, UnexpectedFileError
from compliance.evidence.export_folder import names_in, read_file
from compliance.evidence.trust import Trust
from compliance.evidence.whole_log import WholeLog

FOLDER = "earlier"
_NAME = re.compile(r"([1-9][0-9]{0,18})\.checkpoint")


def path_of(size: int) -> str:
    """The path of an older head, in the folder of its log."""
    return f"{FOLDER}/{size}.checkpoint"


def read_earlier(log: WholeLog, path: Path, vkey: str, trust: Trust) -> Mapping[int, datetime | None]:
    """The older heads of a log by size, and when each was cosigned as the trust file asks.

    Each is signed with the key of the log and cosigned as the newest is, and has the root that the log had at its size.
    Raises UnexpectedFileError, ConsistencyError, UnwitnessedError, or what `membership.open_checkpoint` raises.
    """
    found = {}
    for name in sorted(names_in(path / FOLDER)):
        match = _NAME.fullmatch(name)
        size = 0 if match is None else int(match[1])
        if not 0 < size < log.head.size:
            raise UnexpectedFileError(
                f"{FOLDER}/{name} of the log {log.head.origin} should be named after a size below {log.head.size}."
            )
        note = read_file(path, path_of(size))
        head = membership.open_checkpoint(vkey, note, trust.log_vkeys)
        if head.size != size or head.origin != log.head.origin:
            raise UnexpectedFileError(f"{FOLDER}/{name} is the head of {head.origin} over {head.size} entries.")
        if head.root != log.tree.root_at(size):
            raise ConsistencyError(
                f"The log {head.origin} does not have the root at {size} entries that {FOLDER}/{name} was signed over."
            )
        found[size] = witnessing.witnessing_of(note, trust).quorum_at
    return found
