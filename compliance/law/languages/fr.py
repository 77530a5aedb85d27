"""French."""

from compliance.law.provisions import Article
from compliance.law.words import Words


def _cite(article: Article) -> str:
    paragraph = "" if article.paragraph is None else f", paragraphe\N{NO-BREAK SPACE}{article.paragraph}"
    letter = f", point\N{NO-BREAK SPACE}{article.letter})" if article.letter else ""
    ending = "," if paragraph or letter else ""
    return f"article\N{NO-BREAK SPACE}{article.number}{paragraph}{letter}{ending} du RGPD"


WORDS = Words(
    cite=_cite,
    grounds={
        "art17_1_a": "Les données ne sont plus nécessaires au regard des finalités pour lesquelles elles ont été "
        "collectées ou utilisées.",
        "art17_1_b": "Le consentement a été retiré et aucun autre fondement juridique ne permet l’utilisation des "
        "données.",
        "art17_1_c": "Une opposition à l’utilisation des données a été formulée et aucun motif légitime ne prévaut sur "
        "elle.",
        "art17_1_d": "Les données ont fait l’objet d’un traitement illicite.",
        "art17_1_e": "Une obligation légale impose que les données soient effacées.",
        "art17_1_f": "Les données ont été collectées lors de l’offre directe d’un service en ligne à un enfant.",
    },
    refusals={
        "art17_3_a": "Les données sont nécessaires à l’exercice du droit à la liberté d’expression et d’information.",
        "art17_3_b": "Les données sont nécessaires pour respecter une obligation légale, ou pour exécuter une mission "
        "d’intérêt public ou relevant de l’exercice de l’autorité publique.",
        "art17_3_c": "Les données sont nécessaires pour des motifs d’intérêt public dans le domaine de la santé "
        "publique.",
        "art17_3_d": "Les données sont nécessaires à des fins d’archivage dans l’intérêt public, de recherche "
        "scientifique ou historique ou de statistiques, que l’effacement rendrait probablement impossibles ou "
        "compromettrait gravement.",
        "art17_3_e": "Les données sont nécessaires à la constatation, à l’exercice ou à la défense de droits en justice.",
        "art12_5_unfounded": "La demande est manifestement infondée.",
        "art12_5_excessive": "La demande est manifestement excessive, par exemple parce qu’elle est sans cesse répétée.",
        "art12_6": "Il existe des doutes raisonnables quant à l’identité de l’auteur de la demande, et ils n’ont pas "
        "été levés.",
        "art11": "La personne ne peut pas être identifiée dans les données.",
    },
    extensions={
        "complexity": "La demande est complexe.",
        "number_of_requests": "Le nombre de demandes est élevé.",
    },
)
