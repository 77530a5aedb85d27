"""Sessions of browsers, as Django keeps them in the database; a cookie that names none is no session, and no error.

`SESSION_ENGINE` names this module, and Django takes the class `SessionStore` from it.
"""

import re

from django.contrib.sessions.backends import db

# What `get_random_string` makes of `VALID_KEY_CHARS` for Django's `SessionBase`.
_KEY = re.compile(r"[a-z0-9]{32}")


class SessionStore(db.SessionStore):
    """Django's, which also asks the database for keys that it never made: PostgreSQL refuses a text with NUL."""

    def _validate_session_key(self, key: object) -> bool:
        return isinstance(key, str) and _KEY.fullmatch(key) is not None
