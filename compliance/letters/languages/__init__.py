"""One file a language. Each sets `LANGUAGE`."""
