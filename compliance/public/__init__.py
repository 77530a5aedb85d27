"""The public pages: a person asks to be deleted and follows the request, with a browser and nothing else.

Next to read: urls.py, then views/asking.py. The words are in languages/, one file a language.
"""
