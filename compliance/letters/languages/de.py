"""German, with the formal address."""

from datetime import date

from compliance.letters.days import written
from compliance.letters.language import Language
from compliance.letters.parts import Assurance


def _date(day: date) -> str:
    return written(day, "de", "j. F Y")


LANGUAGE = Language(
    code="de",
    date=_date,
    assurances={
        Assurance.EXACT: "Das Gelernte wurde so geändert, dass es genau dem entspricht, was das Modell ohne diese "
        "Datensätze gelernt hätte.",
        Assurance.CERTIFIED: "Das Gelernte wurde so geändert, dass es beweisbar nahe an dem liegt, was das Modell ohne "
        "diese Datensätze gelernt hätte.",
        Assurance.APPROXIMATE: "Das Gelernte wurde geändert, um ihren Einfluss zu entfernen, und es wurde geprüft, wie "
        "weit das gelungen ist.",
        Assurance.SUPPRESSION: "Das Gelernte trägt weiterhin ihren Einfluss; eine Maßnahme hält ihn in den Ausgaben "
        "des Modells zurück.",
    },
    unconfirmed="Die Prüfungen haben nicht bestätigt, dass ihr Einfluss entfernt wurde.",
    authority="die Datenschutzaufsichtsbehörde des Landes, in dem Sie leben oder arbeiten oder in dem Ihrer Ansicht "
    "nach das Recht verletzt wurde",
    court="die Gerichte des Landes, in dem wir niedergelassen sind, oder des Landes, in dem Sie leben",
)
