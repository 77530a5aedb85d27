"""One table of tokens, which leads back to no request and no person."""

from django.db import models


class SuppressionToken(models.Model):
    """Somebody who was erased. Dates without times: with one, the token could be matched with a request's last entry."""

    token = models.CharField(primary_key=True, max_length=64)
    created_on = models.DateField()
    expires_on = models.DateField(null=True)

    def __str__(self) -> str:
        return self.token
