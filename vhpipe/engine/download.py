"""Bytes from http(s): three tries, redirects to http(s) only, and a body that is cut short is no body."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vhpipe.errors import EnvironmentFailure
from vhpipe.plan.redaction import redacted
from vhpipe.store.blobs import SMALL_BYTES, Blobs

if TYPE_CHECKING:
    from urllib.request import OpenerDirector, Request

TRIES = 3
TIMEOUT_S = 30.0
PAUSE_S = 0.2
"""Before the second try; twice that before the third."""

_WORTH_ANOTHER_TRY = frozenset({408, 425, 429})
_UNQUOTED = "%/:=&?~#+!$,;'@()*[]"


class _UnsteadyError(Exception):
    """A fault that another try may not meet."""


def download(uri: str, blobs: Blobs) -> tuple[str, int]:
    """sha256 and size of what the URI names, stored as a blob. Errors: EnvironmentFailure, without secrets."""
    problem = ""
    for number in range(TRIES):
        time.sleep(PAUSE_S * number)
        try:
            return blobs.receive(_body(uri))
        except _UnsteadyError as error:
            problem = str(error)
    raise _failure(uri, f"{problem} ({TRIES} tries)")


def _body(uri: str) -> Iterator[bytes]:
    from http.client import HTTPException, InvalidURL
    from urllib.error import HTTPError, URLError

    try:
        with _opener().open(_request(uri), timeout=TIMEOUT_S) as response:
            announced, received = response.length, 0
            while chunk := response.read(SMALL_BYTES):
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
