"""One file a language. Each sets `WORDS`."""
