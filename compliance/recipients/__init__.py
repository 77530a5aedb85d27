"""Recipients: organisations that were given data or models, and are told when those forget a person (Art. 19, 17(2) GDPR)."""
