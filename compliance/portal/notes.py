"""What was written about a request, opened for those who may read it, with the model that it is about."""

from dataclasses import dataclass
from datetime import datetime

from compliance.requests import identities
from compliance.requests.identities import VaultError
from compliance.requests.models import DeletionRequest, SealedNote


@dataclass(frozen=True, kw_only=True)
class Note:
    """Words that may name the person. `model` is the name of the one they are about, "" for the whole request."""

    kind: str
    model: str
    text: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Notes:
    """Oldest first; `problem` says why they cannot be opened, or is ""."""

    rows: list[Note]
    problem: str = ""


def notes(deletion: DeletionRequest) -> Notes:
    """The notes of a request; none once it was shredded. One query."""
    try:
        return Notes(rows=[_opened(deletion, row) for row in deletion.notes.select_related("model")])
    except (VaultError, DeletionRequest.vault.RelatedObjectDoesNotExist) as error:
        # The rest of the page is shown all the same.
        return Notes(rows=[], problem=str(error))


def _opened(deletion: DeletionRequest, row: SealedNote) -> Note:
    text = identities.open_note(deletion.vault, row.sealed_text)
    return Note(kind=row.kind, model="" if row.model is None else row.model.name, text=text, created_at=row.created_at)
