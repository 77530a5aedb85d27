"""Spanish, with the formal address."""

from datetime import date

from compliance.letters.days import written
from compliance.letters.language import Language
from compliance.letters.parts import Assurance


def _date(day: date) -> str:
    return written(day, "es", r"j \d\e F \d\e Y")


LANGUAGE = Language(
    code="es",
    date=_date,
    assurances={
        Assurance.EXACT: "Lo que aprendió se modificó para que sea exactamente lo que habría aprendido sin ellos.",
        Assurance.CERTIFIED: "Lo que aprendió se modificó para que sea, de forma demostrable, próximo a lo que habría "
        "aprendido sin ellos.",
        Assurance.APPROXIMATE: "Lo que aprendió se modificó para eliminar su influencia, y se comprobó con pruebas en "
        "qué medida se logró.",
        Assurance.SUPPRESSION: "Lo que aprendió sigue llevando su influencia; una medida la retiene en lo que el "
        "modelo produce.",
    },
    unconfirmed="Las pruebas no confirmaron que se haya eliminado su influencia.",
    authority="la autoridad de protección de datos del país donde usted vive o trabaja, o donde considere que se "
    "infringió la ley",
    court="los tribunales del país donde estamos establecidos, o del país donde usted vive",
)
