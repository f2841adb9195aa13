"""Reads one sheet of a workbook in a process of its own, which may not take much of the machine.

Run as a script by `clusters.tables`: the workbook comes by standard input, the answer goes to
standard output as JSON: {"rows": [[line, [text, …]], …]} or {"refused": code, "with": {…}}. It
knows nothing of the portal.
"""

import json
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time
from io import BytesIO
from typing import Any

MEBIBYTE = 1024 * 1024


class RefusedError(Exception):
    def __init__(self, code: str, **told: object) -> None:
        super().__init__(code)
        self.answer = {"refused": code, "with": told}


def limit(memory: int, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory * MEBIBYTE, memory * MEBIBYTE))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def rows_of(content: bytes, limits: dict[str, int]) -> Iterator[tuple[int, list[str]]]:
    """The lines that hold something, with their number in the sheet."""
    from openpyxl import load_workbook  # it counts against the limits

    # With their styles: how a day is shown tells its precision.
    workbook = load_workbook(BytesIO(content), read_only=True, keep_links=False)
    if len(workbook.worksheets) != 1:
        raise RefusedError("sheets", number=len(workbook.worksheets))
    sheet: Any = workbook.worksheets[0]
    sheet.reset_dimensions()  # what the file says of its size is not believed
    found = 0
    for line, cells in enumerate(sheet.iter_rows(), start=1):
        texts = texts_of(line, cells, limits)
        if texts:
            found += 1
            if line > limits["last_line"] or found > limits["rows"]:
                raise RefusedError("rows", line=line)
            yield line, texts


def texts_of(line: int, cells: Any, limits: dict[str, int]) -> list[str]:
    """Without the empty cells at the end."""
    texts: list[str] = []
    for column, cell in enumerate(cells, start=1):
        text = text_of(cell, limits) if cell.value is not None else ""
        if not text:
            continue
        if column > limits["columns"]:
            raise RefusedError("columns", line=line, column=column)
        texts += [""] * (column - 1 - len(texts)) + [text]
    return texts


def text_of(cell: Any, limits: dict[str, int]) -> str:
    if cell.data_type in ("f", "e"):
        code = "formula" if cell.data_type == "f" else "error"
        raise RefusedError(code, cell=cell.coordinate)
    text = written(cell.value, cell.number_format)
    if len(text) > limits["characters"]:
        raise RefusedError("characters", cell=cell.coordinate)
    return text


def written(value: object, number_format: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(value, ".15g")
    if isinstance(value, datetime):
        is_day = value.time() == time()
        return as_shown(value.date(), number_format) if is_day else value.isoformat()
    if isinstance(value, date):
        return as_shown(value, number_format)
    return str(value).strip()


def as_shown(day: date, number_format: str) -> str:
    """A spreadsheet makes a day of “2015-07” and shows its month: no more was meant."""
    shown = number_format.lower()
    if "d" in shown:
        return day.isoformat()
    return day.isoformat()[:7] if "m" in shown else day.isoformat()[:4]


def answer(content: bytes, limits: dict[str, int]) -> dict[str, Any]:
    try:
        return {"rows": list(rows_of(content, limits))}
    except RefusedError as error:
        return error.answer
    except MemoryError:
        return {"refused": "memory", "with": {}}
    except Exception:  # whatever a parser makes of a file that is none
        return {"refused": "unreadable", "with": {}}


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    limit(given["memory"], given["seconds"])
    said = answer(sys.stdin.buffer.read(), given)
    sys.stdout.write(json.dumps(said))
