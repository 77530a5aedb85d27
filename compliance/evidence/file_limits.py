"""How large a file of a bundle or an export may be, so that a sender cannot use up the reader's memory and time.

What is parsed becomes many times as large in memory, and nobody has signed it before it is parsed. Genuine files stay
far below: an index of ten thousand entries is half a mebibyte, a signed result with two tokens 20 kB.
"""

from compliance.evidence.errors import TooLargeError

MAX_FILE_BYTES = 32 * 2**20
MAX_PARSED_BYTES = 4 * 2**20
MAX_SIGSTORE_BYTES = 2**20


def max_bytes_of(name: str) -> int:
    """The limit for a file by its path in the bundle or export."""
    if name.endswith(".sigstore.json"):
        return MAX_SIGSTORE_BYTES
    # Manifests are hashed, and the root file compared: neither is parsed.
    is_opaque = name.startswith("models/") or name == "trusted_root.json"
    return MAX_FILE_BYTES if is_opaque else MAX_PARSED_BYTES


def refuse_large(name: str, n_bytes: int, max_bytes: int) -> None:
    """Raises TooLargeError for a file beyond the limit."""
    if n_bytes > max_bytes:
        raise TooLargeError(f"Expected at most {max_bytes} bytes in {name}, found {n_bytes}.")
