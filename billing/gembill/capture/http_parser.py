"""The parser of requests: that of httptools, for which an offer to upgrade is not the end of HTTP.

Owns: reading on after `Upgrade: h2c`, which Java's HttpClient and `curl --http2` send with every request. A server that
does not upgrade answers as if nothing was offered (RFC 9110 7.8), but the parser takes the rest of the connection for
another protocol. Not here: checks of a head. Invariant: a request with an offer is read like the same one without it.
"""

from collections.abc import Callable
from typing import Any

from httptools import HttpParserUpgrade, HttpRequestParser

_FRAMING = (b"content-length", b"transfer-encoding")


class HttpParser:
    """A parser that calls `protocol` back as httptools does; `protocol.headers` are those of the head just read.

    Where a head offers to upgrade, the protocol hears of the message's end too early: at that moment `should_upgrade`
    is true. The body follows, and its end is the true one; where the protocol is `switching`, none does, and it gets
    what comes behind the head as `data_received`.
    """

    def __init__(self, protocol: Any) -> None:  # noqa: ANN401 - whatever has the callbacks of httptools
        self._protocol = protocol
        self._use(protocol)

    def _use(self, listener: object) -> None:
        """Read on with a new parser, whose questions are ours."""
        parser = HttpRequestParser(listener)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)  # the answer first, then the close
        self._feed: Callable[[bytes], None] = parser.feed_data
        self.should_upgrade: Callable[[], bool] = parser.should_upgrade
        """Whether the head just read offers to upgrade and its body is still to come."""
        self.should_keep_alive: Callable[[], bool] = parser.should_keep_alive
        """Whether the connection goes on after this request."""
        self.get_http_version: Callable[[], str] = parser.get_http_version
        """The version of the request, like 1.1."""
        self.get_method: Callable[[], bytes] = parser.get_method
        """The method of the request."""

    def feed_data(self, data: bytes) -> None:
        """Read on. HttpParserError for what is not HTTP."""
        while True:
            try:
                self._feed(data)
            except HttpParserUpgrade as offer:
                if self._protocol.switching:
                    if behind := data[offer.args[0] :]:
                        self._protocol.data_received(behind)
                    return
                self._begin_body()
                data = data[offer.args[0] :]
            else:
                return

    def _begin_body(self) -> None:
        """Go on with a parser that has read a head of the same framing, but no offer."""
        fields = [(name, value) for name, value in self._protocol.headers if name.lower() in _FRAMING]
        fields.append((b"connection", b"keep-alive" if self.should_keep_alive() else b"close"))
        lines = b"".join(b"%b: %b\r\n" % field for field in fields)
        head = b"POST / HTTP/%b\r\n%b\r\n" % (self.get_http_version().encode(), lines)
        listener = _Listener(self._protocol)
        self._use(listener)
        self._feed(head)
        listener.in_known_head = False


class _Listener:
    """The callbacks of a protocol that knows the first head already and does not hear of it again."""

    def __init__(self, protocol: Any) -> None:  # noqa: ANN401 - as above
        self.in_known_head = True
        self.on_body = protocol.on_body
        self.on_message_complete = protocol.on_message_complete
        self.on_message_begin = self._unless_known(protocol.on_message_begin)
        self.on_url = self._unless_known(protocol.on_url)
        self.on_header = self._unless_known(protocol.on_header)
        self.on_headers_complete = self._unless_known(protocol.on_headers_complete)

    def _unless_known(self, callback: Callable[..., None]) -> Callable[..., None]:
        def heard(*values: bytes) -> None:
            if not self.in_known_head:
                callback(*values)

        return heard
