"""Spanish."""

from compliance.law.provisions import Article
from compliance.law.words import Words


def _cite(article: Article) -> str:
    paragraph = "" if article.paragraph is None else f", apartado\N{NO-BREAK SPACE}{article.paragraph}"
    letter = f", letra\N{NO-BREAK SPACE}{article.letter})" if article.letter else ""
    ending = "," if paragraph or letter else ""
    return f"artículo\N{NO-BREAK SPACE}{article.number}{paragraph}{letter}{ending} del RGPD"


WORDS = Words(
    cite=_cite,
    grounds={
        "art17_1_a": "Los datos ya no son necesarios para los fines para los que se recogieron o utilizaron.",
        "art17_1_b": "Se retiró el consentimiento y ninguna otra base jurídica permite utilizar los datos.",
        "art17_1_c": "Hubo oposición al uso de los datos y ningún motivo legítimo prevalece sobre ella.",
        "art17_1_d": "Los datos se trataron de forma ilícita.",
        "art17_1_e": "Una obligación legal exige que los datos se supriman.",
        "art17_1_f": "Los datos se obtuvieron al ofrecer un servicio en línea directamente a un niño.",
    },
    refusals={
        "art17_3_a": "Los datos son necesarios para ejercer el derecho a la libertad de expresión e información.",
        "art17_3_b": "Los datos son necesarios para cumplir una obligación legal, o una misión realizada en interés "
        "público o en el ejercicio de poderes públicos.",
        "art17_3_c": "Los datos son necesarios por razones de interés público en el ámbito de la salud pública.",
        "art17_3_d": "Los datos son necesarios con fines de archivo en interés público, de investigación científica o "
        "histórica o estadísticos, y la supresión probablemente los haría imposibles o los obstaculizaría gravemente.",
        "art17_3_e": "Los datos son necesarios para la formulación, el ejercicio o la defensa de reclamaciones.",
        "art12_5_unfounded": "La solicitud es manifiestamente infundada.",
        "art12_5_excessive": "La solicitud es manifiestamente excesiva, por ejemplo porque se repite una y otra vez.",
        "art12_6": "Existen dudas razonables sobre la identidad de la persona que presentó la solicitud, y no se han "
        "despejado.",
        "art11": "No es posible identificar a la persona en los datos.",
    },
    extensions={
        "complexity": "La solicitud es compleja.",
        "number_of_requests": "El número de solicitudes es elevado.",
    },
)
