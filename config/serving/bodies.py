"""The body of a request, received as a whole before anybody works on it.

A server hands a request over when its head has arrived, and granian ends no body that stops half
way (a thread of ours that read it while its request is answered would stop the whole worker). So
only some threads of a worker receive bodies at any time, and the others go on with pages. A proxy
that receives bodies itself, with a deadline, keeps slow ones away altogether (docs/operations.md).
"""

from contextlib import ExitStack
from http import HTTPStatus
from io import BytesIO
from tempfile import SpooledTemporaryFile
from threading import BoundedSemaphore
from typing import IO, TYPE_CHECKING, Protocol

from django.conf import settings

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

# The name in the WSGI environment by which `config.middleware` is told what is wrong with a body.
REFUSED = "portal.refused"
# With files; without, `DATA_UPLOAD_MAX_MEMORY_SIZE`.
MOST_BYTES_WITH_FILES = 12 * 1024 * 1024
MOST_BYTES_IN_MEMORY = 1024 * 1024
PIECE = 64 * 1024

# Half of the threads that a worker has. Who finds none free waits so long.
MOST_AT_ONCE = 4
SECONDS_TO_WAIT = 0.5

places = BoundedSemaphore(MOST_AT_ONCE)


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class TooLong(Exception):
    pass


def receive_body(environ: "WSGIEnvironment") -> None:
    """Put the whole body, or what is wrong with it, into the environment."""
    length = length_of(environ)
    source, environ["wsgi.input"] = environ["wsgi.input"], BytesIO()
    # No other method of the portal has a body.
    if environ["REQUEST_METHOD"] != "POST" or length == 0:
        return
    most = most_bytes(environ.get("CONTENT_TYPE", ""))
    if length is not None and length > most:
        environ[REFUSED] = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return
    if not places.acquire(timeout=SECONDS_TO_WAIT):
        environ[REFUSED] = HTTPStatus.SERVICE_UNAVAILABLE
        return
    try:
        file = environ["wsgi.input"] = received(source, length, most)
    except TooLong:
        environ[REFUSED] = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    except OSError:
        environ[REFUSED] = HTTPStatus.BAD_REQUEST
    else:
        environ["CONTENT_LENGTH"] = str(file.tell())
        file.seek(0)
    finally:
        places.release()


def received(source: Readable, length: int | None, most: int) -> IO[bytes]:
    """`length` is None where the end tells of itself (chunked)."""
    size = 0
    with ExitStack() as unless_whole:
        file = unless_whole.enter_context(SpooledTemporaryFile(max_size=MOST_BYTES_IN_MEMORY))
        while piece := source.read(PIECE if length is None else min(PIECE, length - size)):
            size += len(piece)
            if size > most:
                raise TooLong
            file.write(piece)
        unless_whole.pop_all()
    return file


def length_of(environ: "WSGIEnvironment") -> int | None:
    given = environ.get("CONTENT_LENGTH") or ""
    if given.isascii() and given.isdigit():
        return int(given)
    return None if environ.get("wsgi.input_terminated") else 0


def most_bytes(content_type: str) -> int:
    if content_type.lower().startswith("multipart/"):
        return MOST_BYTES_WITH_FILES
    most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return most
