"""Markdown files with front matter: one for each language of an announcement, or one alone.

Every value of the front matter is read as text, so that nothing becomes a date, a number or `True`
by what it looks like; what an export writes is read back as it was.
"""

import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from clusters.names import is_public_id
from news.inout.items import (
    ABOUT,
    MOMENTS,
    OF_ATTACHMENTS,
    OF_CORRECTIONS,
    OF_ORGANISATIONS,
    OF_PICTURES,
    OF_STATEMENTS,
    OF_TEXTS,
    WORDS,
    FileItem,
    Item,
    NotTaken,
    TextItem,
    Unreadable,
    file_inside,
)
from news.models import MAX_ATTACHMENTS, MAX_PICTURES, AnnouncementState

MOST_BYTES, MOST_FRONT_MATTER, MOST_CORRECTIONS = 400_000, 64_000, 100
FENCE = "---\n"
# Ends of lines to YAML, which would read others for them.
OTHER_ENDS = re.compile("[\r\x85\u2028\u2029\ufeff]")
END = re.compile(r"^---\r?\n", re.MULTILINE)
# Of other programs that write such files.
ALIASES = {
    "date": "published_at", "lang": "language", "summary": "lead", "description": "lead",
    "categories": "topics", "tags": "topics",
}  # fmt: skip
ONE = {
    "public_id", "source_key", "language", "text_state", *MOMENTS, *WORDS, *OF_ORGANISATIONS,
    *OF_TEXTS,
}  # fmt: skip
OF_ONE_LANGUAGE = {"language", "text_state", "old_slugs", *OF_TEXTS}
LISTS = {"topics", "old_slugs", *ABOUT}
ROWS = {
    "pictures": ("file", *OF_PICTURES),
    "attachments": ("file", *OF_ATTACHMENTS),
    "corrections": OF_CORRECTIONS,
    "statements": OF_STATEMENTS,
}
MOST_ROWS = {"pictures": MAX_PICTURES, "attachments": MAX_ATTACHMENTS}


class FrontMatterDumper(yaml.SafeDumper):
    """Texts of several lines as they are, where YAML can say them so."""


def as_lines(dumper: Any, text: str) -> Any:
    style = '"' if OTHER_ENDS.search(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


FrontMatterDumper.add_representer(str, as_lines)


def as_file(front: dict[str, Any], body: str) -> str:
    written = yaml.dump(
        front, Dumper=FrontMatterDumper, sort_keys=False, allow_unicode=True, width=100_000
    )
    return f"{FENCE}{written}{FENCE}\n{body}\n"


def read_folder(folder: Path, language: str) -> Iterator[Item | Unreadable]:
    """The announcements of a folder and of those in it, by their names; links are not followed."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        files = sorted(name for name in names if name.endswith(".md"))
        of_one = [name for name in files if Path(name).stem in dict(settings.LANGUAGES)]
        alone = [[name] for name in files if name not in of_one]
        for group in ([of_one] if of_one else []) + alone:
            paths = [Path(place, name) for name in group]
            told = str(paths[0].parent if group is of_one else paths[0])
            try:
                yield read_files(folder, paths, told, language)
            except NotTaken as refusal:
                yield Unreadable(told, str(refusal))


def read_files(folder: Path, paths: list[Path], place: str, language: str) -> Item:
    fronts, texts = [], []
    notices: list[str] = []
    for path in paths:
        front, body = read_file(folder, path, notices)
        own = path.stem if path.stem in dict(settings.LANGUAGES) else language
        texts.append(read_text(front, body, front.get("language") or own, path.name))
        fronts.append({key: value for key, value in front.items() if key not in OF_ONE_LANGUAGE})
    refuse_differences(fronts, paths)
    item = read_common(fronts[0], place, paths[0])
    if not item.public_id:
        item.key = item.key or f"file:{paths[0].relative_to(folder).as_posix()}"
    item.texts, item.notices = texts, notices + item.notices
    if len({text.language for text in texts}) < len(texts):
        raise NotTaken("two of its files are in the same language.")
    return item


def refuse_differences(fronts: list[dict[str, Any]], paths: list[Path]) -> None:
    for front, path in zip(fronts[1:], paths[1:], strict=True):
        keys = sorted(
            key for key in fronts[0].keys() | front if fronts[0].get(key) != front.get(key)
        )
        if keys:
            raise NotTaken(f"{paths[0].name} and {path.name} say different things of: "
                           f"{', '.join(keys)}.")  # fmt: skip


def read_file(folder: Path, path: Path, notices: list[str]) -> tuple[dict[str, Any], str]:
    if file_inside(folder, str(path.relative_to(folder))) is None:
        raise NotTaken(f"{path.name} leads out of the folder, or cannot be read.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise NotTaken(f"{path.name} has more than {MOST_BYTES:,} bytes.")
        content = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotTaken(f"{path.name} is not UTF-8 (byte {error.start}). Save it so.") from error
    except OSError as error:
        raise NotTaken(f"{path.name} cannot be read: {error.strerror}.") from error
    first, _, rest = content.partition("\n")
    parts = END.split(rest, maxsplit=1)
    if first.rstrip("\r") != "---" or len(parts) == 1:
        raise NotTaken(f"{path.name} does not begin with front matter between two lines “---”.")
    # An empty line stands before the text, and its last line has an end.
    line = "\r\n" if first.endswith("\r") else "\n"
    body = parts[1].removeprefix(line).removesuffix(line)
    return checked(parsed_front_matter(parts[0], path), path, notices), body


def parsed_front_matter(written: str, path: Path) -> dict[Any, Any]:
    if len(written) > MOST_FRONT_MATTER:
        raise NotTaken(f"{path.name}: its front matter has more than {MOST_FRONT_MATTER:,} signs.")
    try:
        found = yaml.BaseLoader(written).get_single_data()
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 2}" if error.problem_mark else ""
        problem = error.problem or "its front matter is no YAML"
        raise NotTaken(f"{path.name}{line}: {problem}.") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise NotTaken(f"{path.name}: its front matter is no YAML that can be read.") from error
    if not isinstance(found, dict):
        raise NotTaken(f"{path.name}: its front matter has no “name: value”.")
    return found


def checked(found: dict[Any, Any], path: Path, notices: list[str]) -> dict[str, Any]:
    """What is known by name, in the shape that it has; raises NotTaken for another shape."""
    front: dict[str, Any] = {}
    for given, value in found.items():
        name = ALIASES.get(given, given)
        if name in LISTS and isinstance(value, str):
            value = [value] if value else []
        if name in LISTS and given in ALIASES:
            value = front.get(name, []) + value if isinstance(value, list) else value
        if name in ONE:
            is_right = isinstance(value, str)
        elif name in LISTS:
            is_right = isinstance(value, list) and all(isinstance(one, str) for one in value)
        elif name in ROWS:
            is_right = is_rows(value, ROWS[name], MOST_ROWS.get(name, MOST_CORRECTIONS))
        else:
            notices.append(f"{path.name}: “{str(given)[:40]}” is not known and is left out.")
            continue
        if not is_right:
            raise NotTaken(f"{path.name}: “{name}” has not the form that an export gives it.")
        if value:
            front[name] = value
    return front


def is_rows(value: Any, columns: tuple[str, ...], most: int) -> bool:
    return isinstance(value, list) and len(value) <= most and all(
        isinstance(row, dict)
        and all(key in columns and isinstance(one, str) for key, one in row.items())
        for row in value
    )  # fmt: skip


def read_text(front: dict[str, Any], body: str, language: str, name: str) -> TextItem:
    code = language.replace("_", "-").split("-")[0].lower()
    if code not in dict(settings.LANGUAGES):
        raise NotTaken(f"{name}: its language is not known: write it as “language: en”, or say it "
                       "with --language.")  # fmt: skip
    if not front.get("title"):
        raise NotTaken(f"{name} has no title.")
    if not body.strip():
        raise NotTaken(f"{name} has no text.")
    columns = {column: front[column] for column in OF_TEXTS if column in front}
    return TextItem(
        code,
        body=body,
        state=front.get("text_state", "ready"),
        old_slugs=front.get("old_slugs", []),
        **columns,
    )


def read_common(front: dict[str, Any], place: str, path: Path) -> Item:
    item = Item(place, front.get("source_key", ""), front.get("public_id", ""))
    if item.public_id and not is_public_id(item.public_id):
        raise NotTaken("its public_id is none of this portal: leave the line out.")
    item.columns = {name: front[name] for name in WORDS if name in front}
    item.columns |= {name: written_moment(front[name], name) for name in MOMENTS if name in front}
    item.columns.setdefault("state", AnnouncementState.PUBLISHED.value)
    item.topics = front.get("topics", [])
    item.about = {name: front[name] for name in ABOUT if name in front}
    item.organisations = {name: front[name] for name in OF_ORGANISATIONS if name in front}
    item.statements = front.get("statements", [])
    item.pictures = files_of(front.get("pictures", []), path.parent)
    item.attachments = files_of(front.get("attachments", []), path.parent)
    item.corrections = [
        {**row, "corrected_at": written_moment(row.get("corrected_at", ""), "corrected_at")}
        for row in front.get("corrections", [])
    ]
    return item


def written_moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min
    if moment.tzinfo is None:
        raise NotTaken(f"write {name} with date, time and zone, as 2015-09-08T14:38:00+02:00.")
    return moment


def files_of(rows: list[dict[str, str]], folder: Path) -> list[FileItem]:
    found = []
    for row in rows:
        columns = dict(row)
        name = columns.pop("file", "")
        path = file_inside(folder, name) if name else None
        if path is None:
            raise NotTaken(f"the file “{name[:100]}” is not in its folder.")
        found.append(FileItem(path, columns))
    return found
