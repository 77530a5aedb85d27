"""Every address has one representation. Accept headers are not a reason to refuse (RFC 9110 section 12.5.1)."""

from collections.abc import Iterable

from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class OneRepresentation(BaseContentNegotiation):
    """The first renderer of a view, whatever the client accepts; the parser by the Content-Type, as usual."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser for the Content-Type; None becomes a 415."""
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The one renderer and its media type."""
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)
