"""The plain webhook: one POST of JSON, signed.

Owns: the request and its signature. Not here: retries. Invariant: the body is signed as it is sent; a redirect is not
followed, because it could carry the message elsewhere.

The receiver computes HMAC-SHA256 of the raw body under the shared secret and compares `sha256=` + its hexadecimal
digits with the header `X-Gembill-Signature`, in constant time. `id` in the body is the same for every try.
"""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from http.client import HTTPException
from typing import IO
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from gembill import __version__
from gembill.alert.message import Message
from gembill.errors import Undelivered

SIGNATURE = "X-Gembill-Signature"
SECONDS = 5.0


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: object, newurl: str) -> None:
        """None: the answer stays the error it is."""


class Webhook:
    """An address that takes our JSON. `seconds` bounds each wait for it."""

    name = "webhook"

    def __init__(self, url: str, secret: str, seconds: float = SECONDS) -> None:
        self._url = url
        self._secret = secret.encode()
        self._seconds = seconds
        self._opener = build_opener(_NoRedirect())

    def send(self, message: Message) -> None:
        """POST it; anything but a 2xx in time is Undelivered."""
        sent_at = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")
        body = json.dumps({**message.body, "sent_at": sent_at}).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"gembill/{__version__}",
            SIGNATURE: signature(self._secret, body),
        }
        request = Request(self._url, body, headers, method="POST")  # noqa: S310 - config admits http and https only
        try:
            self._opener.open(request, timeout=self._seconds).close()
        except (OSError, HTTPException, ValueError) as error:  # URLError and HTTPError are OSErrors
            raise Undelivered(f"the webhook at {urlsplit(self._url).hostname} did not take it: {error}") from None


def signature(secret: bytes, body: bytes) -> str:
    """The value of the signature header."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
