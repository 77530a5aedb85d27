"""Evidence that needs no trust in the server: bytes in, bytes out, no Django, no network, no database.

An auditor runs this package alone (`python -m compliance.evidence verify BUNDLE`) with three libraries installed:
cryptography, securesystemslib and rfc8785. Formats are public ones: RFC 6962 trees, C2SP tiles, checkpoints and
proofs, DSSE envelopes, in-toto statements, Rekor v2 leaves. See docs/evidence.md.
"""
