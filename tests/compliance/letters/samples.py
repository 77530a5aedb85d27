"""One letter of each kind, with every part that there is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from compliance.evidence.verdict import Result
from compliance.law.provisions import EXTENSIONS, GROUNDS, REFUSALS
from compliance.letters.parts import (
    Assurance,
    ClosedUnverified,
    Completed,
    Extension,
    Frame,
    Identity,
    IdentityReminder,
    NextStep,
    Outcome,
    PartlyCompleted,
    Parts,
    Question,
    Receipt,
    Refused,
    Remaining,
    Remedies,
    Text,
    Withdrawn,
)

FRAME = Frame(
    request_id="3f1c9a52-6f0b-4a5e-9d6c-1f2e3d4c5b6a",
    received_date=date(2026, 3, 1),
    controller="Contoso GmbH",
    contact="privacy@contoso.example",
)
REMEDIES = Remedies(authority="Authority X, https://authority.example/complain", court="Court Y, Berlin")
OUTCOME = Outcome(
    model="spam",
    n_records=2,
    assurance=Assurance.EXACT,
    result=Result.PASSED,
    in_service_date=date(2026, 3, 20),
    older_until_date=date(2026, 4, 19),
)
REMAINING = Remaining(model="fraud", n_records=7, reason=REFUSALS["art17_3_e"])
COMPLETED = Completed(
    frame=FRAME,
    closed_date=date(2026, 3, 20),
    ground=GROUNDS["art17_1_b"],
    remedies=REMEDIES,
    outcomes=(OUTCOME, replace(OUTCOME, model="ranking", assurance=Assurance.APPROXIMATE, result=Result.WARNED)),
    n_not_concerned=3,
    recipients=("Fabrikam SAS",),
)
RECEIPT = Receipt(frame=FRAME, due_date=date(2026, 4, 1), next_step=NextStep.IDENTITY)
PARTLY_COMPLETED = PartlyCompleted(
    frame=FRAME,
    closed_date=date(2026, 3, 20),
    ground=GROUNDS["art17_1_b"],
    remaining=(REMAINING,),
    remedies=REMEDIES,
    facts=Text("4711."),
    outcomes=(OUTCOME,),
    n_not_concerned=1,
    recipients=("Fabrikam SAS",),
)
REFUSED = Refused(
    frame=FRAME,
    decided_date=date(2026, 3, 20),
    reasons=(REFUSALS["art17_3_b"], REFUSALS["art12_5_excessive"]),
    remedies=REMEDIES,
    facts=Text("4711."),
)
SAMPLES: Mapping[str, Parts] = {
    "receipt": RECEIPT,
    "identity": Identity(frame=FRAME, due_date=date(2026, 4, 1), code="0123456789", minutes=10),
    "identity_reminder": IdentityReminder(frame=FRAME, answer_by_date=date(2026, 3, 30)),
    "question": Question(frame=FRAME, question=Text("4711?")),
    "extension": Extension(
        frame=FRAME,
        due_date=date(2026, 4, 1),
        new_due_date=date(2026, 6, 1),
        reasons=(EXTENSIONS["complexity"], EXTENSIONS["number_of_requests"]),
    ),
    "completed": COMPLETED,
    "partly_completed": PARTLY_COMPLETED,
    "refused": REFUSED,
    "withdrawn": Withdrawn(frame=FRAME, closed_date=date(2026, 3, 5)),
    "closed_unverified": ClosedUnverified(
        frame=FRAME, closed_date=date(2026, 3, 31), reasons=(REFUSALS["art12_6"],), remedies=REMEDIES
    ),
}
