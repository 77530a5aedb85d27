"""One file a kind of message; nothing lists them (catalogue.py walks the folder and says what a file may define)."""
