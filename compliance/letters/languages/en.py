"""British English."""

from datetime import date

from compliance.letters.days import written
from compliance.letters.language import Language
from compliance.letters.parts import Assurance


def _date(day: date) -> str:
    return written(day, "en", "j F Y")


LANGUAGE = Language(
    code="en",
    date=_date,
    assurances={
        Assurance.EXACT: "What it learned was changed to be exactly what it would have learned without them.",
        Assurance.CERTIFIED: "What it learned was changed to be provably close to what it would have learned without "
        "them.",
        Assurance.APPROXIMATE: "What it learned was changed to remove their influence, and tests were made of how far "
        "this succeeded.",
        Assurance.SUPPRESSION: "What it learned still carries their influence; a measure holds it back in what the "
        "model puts out.",
    },
    unconfirmed="The tests did not confirm that their influence was removed.",
    authority="the data protection supervisory authority of the country where you live or work, or where you think "
    "that the law was broken",
    court="the courts of the country where we are established, or of the one where you live",
)
