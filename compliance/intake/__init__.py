"""How a request is taken in once, however often it is sent: Idempotency-Key (draft-ietf-httpapi-idempotency-key-header)."""
