"""A person's browser without JavaScript: it reads pages, follows links that are on them, and sends their forms."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.test import Client
from django.urls import reverse

from compliance.requests.actions.submit import Submitted
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.public.page import Page

LANGUAGES = ("en", "de", "fr", "es")


@dataclass
class Browser:
    """A browser with its cookies; `answers` are all that it was ever sent, and `urls` all that it ever asked for."""

    language: str = "en"
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))
    answers: list[Any] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    url: str = ""

    def get(self, url: str, status: int = 200) -> Page:
        """The page at this address; redirections are followed."""
        return self._arrive(url, self.client.get(url, headers={"accept-language": self.language}), status)

    def at(self, name: str, request_id: object = None, status: int = 200) -> Page:
        """The page of this name in the browser's language."""
        return self.get(address(name, request_id, self.language), status)

    def send(self, page: Page, action: str, data: Mapping[str, str] | None = None, status: int = 200) -> Page:
        """Fill in the form on the page that goes to this action, hidden fields and the token of the form included."""
        url = next(
            form.attributes["action"]
            for form in page.all("form")
            if form.attributes["action"].rstrip("/").endswith(f"/{action}")
        )
        hidden = {
            element.attributes["name"]: element.attributes.get("value", "")
            for element in page.all("input", type="hidden")
        }
        checked = {
            element.attributes["name"]: element.attributes["value"]
            for element in page.all("input", type="radio")
            if "checked" in element.attributes
        }
        return self._arrive(url, self.client.post(url, {**hidden, **checked, **(data or {})}), status)

    def follow(self, page: Page, end: str) -> Page:
        """The page behind the link whose address ends like this."""
        links = {link.attributes["href"] for link in page.all("a") if link.attributes["href"].endswith(end)}
        assert len(links) == 1, f"expected one link to {end}, found {links}"
        return self.get(links.pop())

    def _arrive(self, url: str, answer: Any, status: int) -> Page:
        self.url = url
        self.urls.append(url)
        self.answers.append(answer)
        if answer.status_code in {301, 302}:
            return self.get(answer.headers["Location"], status)
        assert answer.status_code == status, f"expected {status}, found {answer.status_code} at {url}"
        page = Page(answer.content.decode())
        assert page.problems == [], (url, page.problems)
        return page


def address(name: str, request_id: object = None, language: str = "en") -> str:
    """The address of a public page."""
    given = {"language": language} if request_id is None else {"language": language, "request_id": request_id}
    return reverse(f"public:{name}", kwargs=given)


def asked(browser: Browser, email: str = cast.ALICE, **others: str) -> Page:
    """The receipt of a new request."""
    page = browser.at("ask")
    return browser.send(page, "ask", {"value": email, "ground": "art17_1_b", **others}, status=201)


def receipt_of(page: Page) -> tuple[uuid.UUID, str]:
    """The reference and the access key on a receipt."""
    shown = [element.text.strip() for element in page.all("dd")]
    assert len(shown) == 2
    assert re.fullmatch(r"[\w-]{43}", shown[1])
    return uuid.UUID(shown[0]), shown[1]


def opened(submitted: Submitted, language: str = "en") -> Browser:
    """A browser in which this request was opened."""
    browser = Browser(language)
    data = {"request_id": str(submitted.request.pk), "token": submitted.token}
    browser.send(browser.at("open"), "open", data)
    return browser


def opened_in(state: RequestState, language: str = "en") -> tuple[Browser, Submitted]:
    """A browser in which Alice's request, which is in this state, was opened."""
    submitted = cast.brought_to(state)
    return opened(submitted, language), submitted
