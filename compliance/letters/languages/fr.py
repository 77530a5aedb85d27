"""French, with the formal address."""

import re
from datetime import date

from compliance.letters.days import written
from compliance.letters.language import Language
from compliance.letters.parts import Assurance


def _date(day: date) -> str:
    # The first of a month, and no other day, is an ordinal.
    return written(day, "fr", r"j\e\r F Y" if day.day == 1 else "j F Y")


def _typography(text: str) -> str:
    """No line breaks before a double sign of punctuation or inside quotation marks."""
    text = re.sub(r" (?=[:;?!»])", "\N{NO-BREAK SPACE}", text)
    return text.replace("« ", "«\N{NO-BREAK SPACE}")


LANGUAGE = Language(
    code="fr",
    date=_date,
    assurances={
        Assurance.EXACT: "Ce qu’il a appris a été modifié pour correspondre exactement à ce qu’il aurait appris sans "
        "eux.",
        Assurance.CERTIFIED: "Ce qu’il a appris a été modifié pour être, de façon prouvable, proche de ce qu’il aurait "
        "appris sans eux.",
        Assurance.APPROXIMATE: "Ce qu’il a appris a été modifié pour en retirer leur influence, et des tests ont "
        "mesuré dans quelle mesure cela a réussi.",
        Assurance.SUPPRESSION: "Ce qu’il a appris porte toujours leur influence ; une mesure la retient dans ce que le "
        "modèle produit.",
    },
    unconfirmed="Les tests n’ont pas confirmé que leur influence a été retirée.",
    authority="l’autorité de protection des données du pays où vous résidez ou travaillez, ou de celui où, selon vous, "
    "la loi a été enfreinte",
    court="les juridictions du pays où nous sommes établis, ou de celui où vous résidez",
    typography=_typography,
)
