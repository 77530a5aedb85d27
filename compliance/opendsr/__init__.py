"""OpenDSR 2.0 and its forerunner OpenGDPR 1.0 as pure protocol: bytes in, bytes out, no Django, no network.

A *controller* hands a data subject's request to a *processor*, which signs every answer and every callback.

- `dialect`, `vocabulary`, `statuses`: names that the two versions of the protocol use
- `creation`, `identities`, `discovery`, `responses`, `callbacks`, `error_object`: the messages, read strictly
- `signatures`, `certificates`, `revocation`: who signed, and why that is believed
- `receiver`: what a controller does with a callback or an answer before it believes a word of it

Source: OpenDSR specification 2.0, security guidelines and extensions (opengdpr/OpenDSR, commit 6c080e2).
"""
