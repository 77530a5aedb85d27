"""One file a language. Each sets `PHRASES`."""
