"""Letters to data subjects as text: what each must hold, and how it reads in each language. No database, no mail.

Next to read: parts.py, then composition.py. The texts are in templates/letters/, one folder a language.
"""
