"""English."""

from compliance.law.provisions import Article
from compliance.law.words import Words


def _cite(article: Article) -> str:
    return f"Art.\N{NO-BREAK SPACE}{article} GDPR"


WORDS = Words(
    cite=_cite,
    grounds={
        "art17_1_a": "The data are no longer needed for the purposes for which they were collected or used.",
        "art17_1_b": "Consent was withdrawn, and nothing else in law allows the data to be used.",
        "art17_1_c": "An objection was made to the use of the data, and no legitimate ground overrides it.",
        "art17_1_d": "The data were processed unlawfully.",
        "art17_1_e": "A legal obligation requires that the data be erased.",
        "art17_1_f": "The data were collected when an online service was offered directly to a child.",
    },
    refusals={
        "art17_3_a": "The data are needed to exercise the right of freedom of expression and information.",
        "art17_3_b": "The data are needed to meet a legal obligation, or for a task in the public interest or in the "
        "exercise of official authority.",
        "art17_3_c": "The data are needed for reasons of public interest in the area of public health.",
        "art17_3_d": "The data are needed for archiving in the public interest, for scientific or historical research "
        "or for statistics, and erasure is likely to make that impossible or to impair it seriously.",
        "art17_3_e": "The data are needed to establish, exercise or defend legal claims.",
        "art12_5_unfounded": "The request is manifestly unfounded.",
        "art12_5_excessive": "The request is manifestly excessive, for example because it keeps being repeated.",
        "art12_6": "There are reasonable doubts about the identity of the person who made the request, and they were "
        "not removed.",
        "art11": "The person cannot be identified in the data.",
    },
    extensions={
        "complexity": "The request is complex.",
        "number_of_requests": "The number of requests is high.",
    },
)
