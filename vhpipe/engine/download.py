"""Bytes from http(s): three tries, redirects to http(s) only, and a body that is cut short is no body.

A server that is silent, too slow or endless is given up; so is every fetch whose run is over. Source: decision 156.
"""

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from vhpipe.engine.fetch_watch import FetchLimits, FetchWatch
from vhpipe.errors import EnvironmentFailure
from vhpipe.plan.redaction import redacted
from vhpipe.store.blobs import SMALL_BYTES, Blobs

if TYPE_CHECKING:
    from urllib.request import OpenerDirector, Request

TRIES = 3
PAUSE_S = 0.2
"""Before the second try; twice that before the third."""


LIMITS = FetchLimits()
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429})
_UNQUOTED = "%/:=&?~#+!$,;'@()*[]"


class _UnsteadyError(Exception):
    """A fault that another try may not meet."""


def download(uri: str, blobs: Blobs, is_over: threading.Event, limits: FetchLimits = LIMITS) -> tuple[str, int]:
    """sha256 and size of what the URI names, stored as a blob; it ends when `is_over` is set.

    Errors: EnvironmentFailure, without secrets.
    """
    problem = ""
    with FetchWatch(limits, is_over) as watch:
        for number in range(TRIES):
            is_over.wait(PAUSE_S * number)
            watch.begin()
            try:
                return blobs.receive(_body(uri, limits.silence_s, watch))
            except _UnsteadyError as error:
                problem = str(error)
            if watch.is_final:
                raise _failure(uri, problem)
    raise _failure(uri, f"{problem} ({TRIES} tries)")


def _body(uri: str, silence_s: float, watch: FetchWatch) -> Iterator[bytes]:
    """The bytes as they arrive, be they few. The end of a connection that was cut is not the end of a body."""
    try:
        yield from _arriving(uri, silence_s, watch)
    except _UnsteadyError as error:
        raise _UnsteadyError(watch.fault or str(error)) from error
    if watch.fault is not None:
        raise _UnsteadyError(watch.fault)


def _arriving(uri: str, silence_s: float, watch: FetchWatch) -> Iterator[bytes]:
    from http.client import HTTPException, InvalidURL
    from urllib.error import HTTPError, URLError

    try:
        with _opener(watch).open(_request(uri), timeout=silence_s) as response:
            announced, received = response.length, 0
            while chunk := response.read1(SMALL_BYTES):
                received += len(chunk)
                watch.arrived(len(chunk))
                yield chunk
                watch.wait()
        if announced is not None and received != announced:
            raise _UnsteadyError(f"{received} of {announced} bytes arrived")
    except HTTPError as error:
        with error:
            if error.code >= 500 or error.code in _WORTH_ANOTHER_TRY:
                raise _UnsteadyError(f"{error.code} {error.reason}") from error
            raise _failure(uri, f"{error.code} {error.reason}") from error
    except URLError as error:
        raise _UnsteadyError(str(error.reason)) from error
    except (InvalidURL, ValueError) as error:
        raise _failure(uri, _reason(error, uri)) from error
    except (OSError, HTTPException) as error:
        raise _UnsteadyError(_reason(error, uri)) from error


def _failure(uri: str, problem: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"cannot fetch `{redacted(uri)}`: {problem}", hint="check the address; a signed one may have expired"
    )


def _reason(error: Exception, uri: str) -> str:
    """What an error says, where that does not quote the address, which may have secrets."""
    text = str(error) or type(error).__name__
    if redacted(uri) == uri:
        return text
    query, userinfo = uri.partition("?")[2], uri.partition("://")[2].rpartition("@")[0]
    return type(error).__name__ if any(each and each in text for each in (query, userinfo)) else text


def _request(uri: str) -> "Request":
    """Userinfo becomes a header, which a redirect does not carry to another place."""
    from urllib.parse import quote, unquote, urlsplit, urlunsplit
    from urllib.request import Request

    parts = urlsplit(quote(uri, safe=_UNQUOTED, errors="surrogateescape"))
    userinfo, _, host = parts.netloc.rpartition("@")
    request = Request(urlunsplit(parts._replace(netloc=host)), headers={"User-Agent": "vhpipe"})
    if userinfo:
        from base64 import b64encode

        request.add_unredirected_header("Authorization", f"Basic {b64encode(unquote(userinfo).encode()).decode()}")
    return request


def _opener(watch: FetchWatch) -> "OpenerDirector":
    from urllib.error import HTTPError
    from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, build_opener

    def watched(http_class: Callable[..., Any]) -> Callable[..., Any]:
        def make(host: str, **options: Any) -> Any:
            connection = http_class(host, **options)
            connection.connect = watch.connecting(connection)
            return connection

        return make

    class WatchedHttp(HTTPHandler):
        def do_open(self, http_class, req, **options):  # type: ignore[no-untyped-def]
            return super().do_open(watched(http_class), req, **options)

    class WatchedHttps(HTTPSHandler):
        def do_open(self, http_class, req, **options):  # type: ignore[no-untyped-def]
            return super().do_open(watched(http_class), req, **options)

    class OnlyHttp(HTTPRedirectHandler):
        def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
            if not newurl.lower().startswith(("http://", "https://")):
                what = f"redirect to `{redacted(newurl)}`, which is not http(s)"
                raise HTTPError(req.full_url, code, what, headers, fp)
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    return build_opener(WatchedHttp, WatchedHttps, OnlyHttp)
