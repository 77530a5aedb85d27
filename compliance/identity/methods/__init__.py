"""One file a way to prove an identity; nothing lists them (catalogue.py walks the folder, method.py is the contract)."""
