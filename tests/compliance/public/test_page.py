"""The checks that the other tests rely on find what they are for."""

import pytest

from tests.compliance.public.page import Page

SOUND = """<!doctype html><html lang="en"><head><title>T</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><a href="#content">Skip</a><header></header><main id="content"><h1>H</h1>
<form method="post" action="/x"><input type="hidden" name="csrfmiddlewaretoken"><label for="a">A</label>
<input id="a" name="a"><button>Go</button></form></main><footer></footer></body></html>"""
#: What is changed in the sound page, and the beginning of the sentence that says so.
BROKEN = {
    "no language": ('lang="en"', "", "no language"),
    "no title": ("<title>T</title>", "<title></title>", "no title"),
    "no landmark": ("<footer></footer>", "", "not one <footer>"),
    "no skip link": ('<a href="#content">Skip</a>', "", "no way to skip"),
    "no first heading": ("<h1>H</h1>", "<h2>H</h2>", "headings"),
    "a heading left out": ("<h1>H</h1>", "<h1>H</h1><h3>I</h3>", "headings"),
    "no enlarging": ("initial-scale=1", "user-scalable=no", "it cannot be enlarged"),
    "an id twice": ("<h1>H</h1>", '<h1 id="a">H</h1>', "the id a stands 2 times"),
    "a reference to nothing": ("<h1>H</h1>", '<h1 aria-describedby="z">H</h1>', "aria-describedby names 'z'"),
    "a button without a name": ("<button>Go</button>", "<button></button>", "<button> without text"),
    "a section without a name": ("<h1>H</h1>", "<h1>H</h1><section></section>", "<section> without a name"),
    "a picture without words": ("<h1>H</h1>", '<h1>H</h1><img src="/i">', "<img> without alt"),
    "a link to nothing": ("<h1>H</h1>", '<h1>H</h1><a href="#z">Z</a>', "a link to #z"),
    "a field without a label": ('<label for="a">A</label>', "", "a has no label"),
    "a choice without a group": ('<input id="a"', '<input type="radio" id="a"', "a stands in no group"),
    "a silent error": ('<input id="a"', '<input aria-invalid="true" id="a"', "a does not say what is wrong"),
    "a group without a legend": ("<button>", "<fieldset></fieldset><button>", "a group without a legend"),
    "a script": ("<h1>H</h1>", "<h1>H</h1><script></script>", "<script>"),
    "a handler": ("<h1>H</h1>", '<h1 onclick="x()">H</h1>', "<h1 onclick>"),
    "a way elsewhere": ('action="/x"', 'action="https://example.org/"', "<form action> leads elsewhere"),
    "no token against forgery": ('name="csrfmiddlewaretoken"', 'name="x"', "a form without a token"),
    "a tag that is not closed": ("</footer>", "", "</body> closes nothing"),
    "an attribute twice": ('<input id="a"', '<input id="a" id="b"', "<input> has an attribute twice"),
}


def test_a_sound_page_has_no_problems() -> None:
    assert Page(SOUND).problems == []


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_found(case: str) -> None:
    old, new, sentence = BROKEN[case]
    assert SOUND.count(old) == 1
    assert [problem for problem in Page(SOUND.replace(old, new)).problems if problem.startswith(sentence)]
