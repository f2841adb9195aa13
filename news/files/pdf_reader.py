"""Run by itself (news/files/pdf.py): says in a word what is wrong with the PDF that it is given."""

import resource
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pikepdf

MEMORY, CPU_SECONDS = 768 * 1024 * 1024, 10
MAX_DEPTH = 100
# Keys of dictionaries, and values of the keys that say what an action or a mark on a page is.
KEYS = {
    "/JS": "script",
    "/JavaScript": "script",
    "/XFA": "script",
    "/EmbeddedFiles": "file",
    "/EF": "file",
    "/RichMediaContent": "action",
}
VALUES = {
    "/JavaScript": "script",
    "/FileAttachment": "file",
    "/GoToE": "file",
    "/Launch": "action",
    "/ImportData": "action",
    "/SubmitForm": "action",
    "/Movie": "action",
    "/Sound": "action",
    "/Rendition": "action",
    "/RichMedia": "action",
    "/RichMediaExecute": "action",
    "/Screen": "action",
    "/3D": "action",
    "/GoTo3DView": "action",
    "/EmbeddedFile": "file",
}
KINDS = ("/S", "/Subtype", "/Type")


def problems(content: bytes) -> Iterator[str]:
    with pikepdf.open(BytesIO(content), attempt_recovery=False) as document:
        if document.is_encrypted:
            yield "encrypted"
        for found in (document.trailer, *document.objects):
            yield from problems_in(found, depth=0)


def problems_in(found: Any, depth: int) -> Iterator[str]:
    # Of what stands in it directly; the others come by themselves.
    if depth > MAX_DEPTH:
        yield "broken"
        return
    if isinstance(found, pikepdf.Array):
        parts: list[Any] = [found[place] for place in range(len(found))]
    elif isinstance(found, pikepdf.Dictionary | pikepdf.Stream):
        yield from (KEYS[key] for key in found.keys() if key in KEYS)  # noqa: SIM118
        parts = []
        for key in found.keys():  # noqa: SIM118
            part = found.get(key)
            if key in KINDS and isinstance(part, pikepdf.Name):
                yield from filter(None, [VALUES.get(str(part))])
            parts.append(part)
    else:
        return
    for part in parts:
        if isinstance(part, pikepdf.Object) and not part.is_indirect:
            yield from problems_in(part, depth + 1)


def tell_verdict() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    try:
        verdict = next(problems(sys.stdin.buffer.read()), "fine")
    except MemoryError:
        verdict = "large"
    except pikepdf.PasswordError:
        verdict = "encrypted"
    except Exception:  # whatever it is, it cannot be read
        verdict = "broken"
    print(verdict)


if __name__ == "__main__":
    tell_verdict()
