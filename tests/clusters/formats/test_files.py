"""Files written as a whole."""

import os
from pathlib import Path

import pytest

from clusters.formats.files import replaced_as_a_whole
from tests.labels.killed import forked


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_file_is_never_seen_half_written(tmp_path: Path) -> None:
    """Processes write the same file over and over while it is read."""
    path = tmp_path / "x.pdf"

    def write() -> None:
        for _ in range(40):
            with replaced_as_a_whole(path) as file:
                file.write(b"x" * 300_000)

    writers, sizes = {forked(write), forked(write)}, set()
    while writers:
        if path.exists():
            sizes.add(len(path.read_bytes()))
        for writer in list(writers):
            ended, status = os.waitpid(writer, os.WNOHANG)
            assert status == 0
            writers.discard(ended)

    assert sizes == {300_000}
    assert files_in(tmp_path) == ["x.pdf"]


def test_failed_writing_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"before")

    def write() -> None:
        with replaced_as_a_whole(path) as file:
            file.write(b"half")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write()

    assert path.read_bytes() == b"before"
    assert files_in(tmp_path) == ["x.zip"]


def test_failed_replacing_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    path.mkdir()  # a folder stands where the file should

    with pytest.raises(OSError, match="directory"), replaced_as_a_whole(path) as file:
        file.write(b"x")

    assert files_in(tmp_path) == []
