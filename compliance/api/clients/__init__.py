"""Machine clients: programs of others that act as a service account, through OAuth 2.0 client credentials (RFC 6749)."""
