"""German."""

from compliance.law.provisions import Article
from compliance.law.words import Words


def _cite(article: Article) -> str:
    paragraph = "" if article.paragraph is None else f" Abs.\N{NO-BREAK SPACE}{article.paragraph}"
    letter = f" Buchst.\N{NO-BREAK SPACE}{article.letter}" if article.letter else ""
    return f"Art.\N{NO-BREAK SPACE}{article.number}{paragraph}{letter} DSGVO"


WORDS = Words(
    cite=_cite,
    grounds={
        "art17_1_a": "Die Daten sind für die Zwecke, für die sie erhoben oder verwendet wurden, nicht mehr notwendig.",
        "art17_1_b": "Die Einwilligung wurde widerrufen, und eine andere Rechtsgrundlage für die Nutzung der Daten "
        "gibt es nicht.",
        "art17_1_c": "Der Nutzung der Daten wurde widersprochen, und kein berechtigter Grund geht dem vor.",
        "art17_1_d": "Die Daten wurden unrechtmäßig verarbeitet.",
        "art17_1_e": "Eine rechtliche Verpflichtung verlangt, dass die Daten gelöscht werden.",
        "art17_1_f": "Die Daten wurden erhoben, als einem Kind unmittelbar ein Online-Dienst angeboten wurde.",
    },
    refusals={
        "art17_3_a": "Die Daten sind erforderlich, um das Recht auf freie Meinungsäußerung und Information auszuüben.",
        "art17_3_b": "Die Daten sind erforderlich, um eine rechtliche Verpflichtung zu erfüllen oder eine Aufgabe "
        "wahrzunehmen, die im öffentlichen Interesse liegt oder in Ausübung öffentlicher Gewalt erfolgt.",
        "art17_3_c": "Die Daten sind aus Gründen des öffentlichen Interesses im Bereich der öffentlichen Gesundheit "
        "erforderlich.",
        "art17_3_d": "Die Daten sind für Archivzwecke im öffentlichen Interesse, für wissenschaftliche oder "
        "historische Forschung oder für die Statistik erforderlich, und die Löschung würde dies voraussichtlich "
        "unmöglich machen oder ernsthaft beeinträchtigen.",
        "art17_3_e": "Die Daten sind erforderlich, um Rechtsansprüche geltend zu machen, auszuüben oder zu verteidigen.",
        "art12_5_unfounded": "Der Antrag ist offenkundig unbegründet.",
        "art12_5_excessive": "Der Antrag ist exzessiv, zum Beispiel weil er immer wieder gestellt wird.",
        "art12_6": "An der Identität der Person, die den Antrag gestellt hat, bestehen begründete Zweifel, die nicht "
        "ausgeräumt wurden.",
        "art11": "Die Person lässt sich in den Daten nicht identifizieren.",
    },
    extensions={
        "complexity": "Der Antrag ist komplex.",
        "number_of_requests": "Die Zahl der Anträge ist hoch.",
    },
)
