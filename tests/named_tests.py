"""Tests that a document names as its proof."""

import ast
from functools import cache
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)


@cache
def functions_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def exists(named: str) -> bool:
    """Whether there is a test like `tests/test_headers.py::test_query_in_utf8_is_read`."""
    path, _, name = named.partition("::")
    return (ROOT / path).is_file() and name in functions_of(path)
