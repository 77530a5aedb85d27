"""The checker of pages finds what it is there to find: a check that sees nothing would pass every page."""

import pytest

from tests.compliance.portal.html_page import Page

GOOD = (
    '<html lang="en-GB"><body><a href="#content">Skip</a><main id="content"><h1>Title</h1>'
    '<form method="post"><input type="hidden" name="csrfmiddlewaretoken"><label for="a">A</label>'
    '<input id="a" name="a" aria-describedby="hint"></form><p id="hint">Hint</p>'
    '<table><tr><th scope="col">Head</th></tr></table></main></body></html>'
)


def test_it_finds_nothing_wrong_with_a_good_page() -> None:
    assert Page(GOOD).problems == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param("<h1>", '<h1 style="color: red">', "<h1 style>", id="style attribute"),
        pytest.param("<h1>", '<h1 onclick="x()">', "<h1 onclick>", id="event handler"),
        pytest.param("<main", "<script></script><main", "an inline <script>", id="script"),
        pytest.param("<main", "<style></style><main", "an inline <style>", id="style element"),
        pytest.param("#content", "https://example.org/", "leads elsewhere", id="foreign address"),
        pytest.param('for="a"', 'for="b"', "a label for 'b', which is not there", id="label for nothing"),
        pytest.param('for="a"', 'for="hint"', "<input name=a> has no label", id="input without label"),
        pytest.param('id="hint"', 'id="other"', "names 'hint', which is not there", id="description missing"),
        pytest.param('<p id="hint">', '<p id="hint"></p><p id="hint">', "the id hint stands 2 times", id="id twice"),
        pytest.param("</p>", "</div>", "closes nothing", id="wrong end tag"),
        pytest.param("</table>", "", "never closed", id="no end tag"),
        pytest.param(' scope="col"', "", "without scope", id="header cell without scope"),
        pytest.param(' lang="en-GB"', "", "no language", id="no language"),
        pytest.param("csrfmiddlewaretoken", "other", "against forgery", id="form without token"),
        pytest.param("<h1>Title</h1>", "", "0 first headings", id="no title"),
        pytest.param('id="content"', 'id="elsewhere"', "no way to skip", id="no skip target"),
    ],
)
def test_it_finds_what_is_wrong(old: str, new: str, problem: str) -> None:
    assert any(problem in found for found in Page(GOOD.replace(old, new)).problems)
