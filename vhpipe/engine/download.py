"""Bytes from http(s): three tries, redirects to http(s) only, and a body that is cut short is no body.

A server that is silent, too slow or endless is given up; so is every fetch whose run is over. Source: decision 156.
"""

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.errors import EnvironmentFailure
from vhpipe.plan.redaction import redacted
from vhpipe.store.blobs import SMALL_BYTES, Blobs

if TYPE_CHECKING:
    from urllib.request import OpenerDirector, Request

TRIES = 3
PAUSE_S = 0.2
"""Before the second try; twice that before the third."""


class FetchLimits(NamedTuple):
    """Seconds of silence, seconds of one fetch with all its tries, and the fewest bytes in each `look_s` seconds."""

    silence_s: float = 30.0
    total_s: float = 12 * 3600.0
    look_s: float = 60.0
    fewest_bytes: int = 60 << 10


LIMITS = FetchLimits()
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429})
_UNQUOTED = "%/:=&?~#+!$,;'@()*[]"


class _UnsteadyError(Exception):
    """A fault that another try may not meet."""


def download(uri: str, blobs: Blobs, is_over: threading.Event, limits: FetchLimits = LIMITS) -> tuple[str, int]:
    """sha256 and size of what the URI names, stored as a blob; it ends when `is_over` is set.

    Errors: EnvironmentFailure, without secrets.
    """
    problem, until = "", time.monotonic() + limits.total_s
    for number in range(TRIES):
        is_over.wait(PAUSE_S * number)
        try:
            return blobs.receive(_in_time(_body(uri, limits.silence_s), uri, until, is_over, limits))
        except _UnsteadyError as error:
            problem = str(error)
    raise _failure(uri, f"{problem} ({TRIES} tries)")


def _in_time(
    body: Iterator[bytes], uri: str, until: float, is_over: threading.Event, limits: FetchLimits
) -> Iterator[bytes]:
    """The body, as long as it comes fast enough and somebody wants it."""
    look_at, received = time.monotonic() + limits.look_s, 0
    for chunk in body:
        now, received = time.monotonic(), received + len(chunk)
        if is_over.is_set():
            raise _failure(uri, "the run is over")
        if now > until:
            raise _failure(uri, f"it took longer than {limits.total_s / 3600:g} hours")
        if now > look_at:
            if received < limits.fewest_bytes:
                raise _UnsteadyError(f"only {received} bytes arrived in {limits.look_s:g} s")
            look_at, received = now + limits.look_s, 0
        yield chunk


def _body(uri: str, silence_s: float) -> Iterator[bytes]:
    """The bytes as they arrive, be they few."""
    from http.client import HTTPException, InvalidURL
    from urllib.error import HTTPError, URLError

    try:
        with _opener().open(_request(uri), timeout=silence_s) as response:
            announced, received = response.length, 0
            while chunk := response.read1(SMALL_BYTES):
                received += len(chunk)
                yield chunk
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


def _opener() -> "OpenerDirector":
    from urllib.error import HTTPError
    from urllib.request import HTTPRedirectHandler, build_opener

    class OnlyHttp(HTTPRedirectHandler):
        def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
            if not newurl.lower().startswith(("http://", "https://")):
                what = f"redirect to `{redacted(newurl)}`, which is not http(s)"
                raise HTTPError(req.full_url, code, what, headers, fp)
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    return build_opener(OnlyHttp)
