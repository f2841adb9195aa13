"""Running the two commands, and what they say."""

from io import StringIO
from pathlib import Path

from django.core.management import CommandError, call_command

SAMPLES = Path(__file__).with_name("samples")


def take(source: Path, **options: object) -> str:
    """What the import told, with its complaint at the end."""
    told = StringIO()
    try:
        call_command("import_news", str(source), stdout=told, stderr=StringIO(), **options)
    except CommandError as error:
        told.write(f"error: {error}\n")
    return told.getvalue()


def give(folder: Path, *, everything: bool = False) -> str:
    told = StringIO()
    call_command("export_news", str(folder), everything=everything, stdout=told, stderr=StringIO())
    return told.getvalue()


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
