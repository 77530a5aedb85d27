"""The law as data: grounds, reasons to refuse and to extend, and how they are said in each language. No Django."""
