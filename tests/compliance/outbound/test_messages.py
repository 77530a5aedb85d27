"""Nothing gets between the lines of a message."""

import pytest

from compliance.outbound.errors import MessageError
from compliance.outbound.messages import MAX_BODY_BYTES, Message

REFUSED: dict[str, dict[str, str]] = {
    "a second line": {"X-A": "1\r\nX-Evil: 1"},
    "a line feed": {"X-A": "1\nX-Evil: 1"},
    "a carriage return": {"X-A": "1\rX"},
    "a null": {"X-A": "1\0"},
    "other letters": {"X-A": "ü"},
    "a space before": {"X-A": " 1"},
    "nothing": {"X-A": ""},
    "a colon in the name": {"X-A: 1\r\nX-B": "1"},
    "a space in the name": {"X A": "1"},
    "no name": {"": "1"},
    "another host": {"Host": "127.0.0.1"},
    "another length": {"content-length": "0"},
    "another framing": {"Transfer-Encoding": "chunked"},
    "the same name twice": {"X-A": "1", "x-a": "2"},
    "too long": {"X-A": "1" * 9000},
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_header_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(MessageError) as caught:
        Message(b"", REFUSED[name])
    assert "Evil" not in str(caught.value)


def test_a_body_that_is_too_long_is_refused() -> None:
    with pytest.raises(MessageError, match="at most"):
        Message(b"a" * (MAX_BODY_BYTES + 1), {})


def test_a_message_is_what_it_was_given() -> None:
    message = Message(b"a" * MAX_BODY_BYTES, {"webhook-signature": "v1,a= v1,b="})
    assert message.headers["webhook-signature"] == "v1,a= v1,b="
