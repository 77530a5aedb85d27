"""A small HTTP client for the demo: JSON in, JSON out, errors with what the server said."""

import base64
import json
import urllib.error
import urllib.request
from typing import Any


class HttpError(RuntimeError):
    """The server refused; ``status`` and ``problem`` are what it answered."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"HTTP {status}: {problem.get('detail') or problem}")
        self.status, self.problem = status, problem


class Client:
    """One person's view of the API: a base address and an Authorization header."""

    def __init__(self, url: str, authorization: str = "") -> None:
        self._url, self._authorization = url, authorization

    def signed_in(self, authorization: str) -> "Client":
        """The same server, seen with other rights."""
        return Client(self._url, authorization)

    def with_staff_token(self, username: str, password: str) -> "Client":
        """Fetch a token for a member of staff and use it."""
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        token = self.signed_in(f"Basic {pair}").post("/api/v1/staff/tokens")["token"]
        return self.signed_in(f"Token {token}")

    def get(self, path: str) -> dict[str, Any]:
        """The JSON at a path."""
        return dict(json.loads(self._send("GET", path, None)))

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send JSON, or nothing; return JSON."""
        return dict(json.loads(self._send("POST", path, body) or b"{}"))

    def download(self, path: str) -> bytes:
        """The bytes at a path."""
        return self._send("GET", path, None)

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "*/*"} | ({} if data is None else {"Content-Type": "application/json"})
        if self._authorization:
            headers["Authorization"] = self._authorization
        request = urllib.request.Request(self._url + path, data=data, method=method, headers=headers)  # noqa: S310  http on this machine
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            raise HttpError(error.code, _problem(error.read())) from error


def _problem(body: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(body))
    except ValueError:
        return {"detail": body[:200].decode(errors="replace")}
