"""An archive of very many files in bounded memory, the same bytes for the same files."""

import hashlib
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any, Self
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

# The earliest that the format knows: a file has no time of its own.
EPOCH = (1980, 1, 1, 0, 0, 0)
READABLE_BY_ALL = 0o100644 << 16
UNIX = 3
CHECKSUMS = "SHA256SUMS"


class Archive:
    """Files are written one after another; at the end comes a list of their checksums."""

    def __init__(self, file: IO[bytes]) -> None:
        self.checksums = TemporaryFile()  # noqa: SIM115
        self.zip = ZipFile(file, "w", ZIP_DEFLATED)
        # What ZipFile keeps of each file in memory, for the directory at the end, it need not.
        self.zip.filelist = EntriesOnDisk()
        self.zip.NameToInfo = Forgetful()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.checksums.seek(0)
            with self.zip.open(entry(CHECKSUMS), "w") as output:
                output.writelines(self.checksums)
        self.zip.close()
        self.zip.filelist.close()  # type: ignore[attr-defined]
        self.checksums.close()

    @contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        with self.zip.open(entry(name), "w", force_zip64=True) as output:
            hashing = Hashing(output)
            yield hashing  # type: ignore[misc]
        self.checksums.write(f"{hashing.digest.hexdigest()}  {name}\n".encode())

    def write(self, name: str, content: bytes | str) -> None:
        octets = content.encode() if isinstance(content, str) else content
        with self.zip.open(entry(name), "w") as output:
            output.write(octets)
        self.checksums.write(f"{hashlib.sha256(octets).hexdigest()}  {name}\n".encode())


def entry(name: str) -> ZipInfo:
    info = ZipInfo(name, EPOCH)
    info.compress_type = ZIP_DEFLATED
    info.create_system = UNIX
    info.external_attr = READABLE_BY_ALL
    return info


class Hashing(RawIOBase):
    """Passes on what is written, and counts it in."""

    def __init__(self, output: IO[bytes]) -> None:
        self.output = output
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return self.output.write(content)


class EntriesOnDisk(list[ZipInfo]):
    """A list that only grows, and is read from its beginning."""

    def __init__(self) -> None:
        self.file = TemporaryFile()  # noqa: SIM115
        self.number = 0

    def append(self, info: ZipInfo) -> None:
        pickle.dump(info, self.file)
        self.number += 1

    def __len__(self) -> int:
        return self.number

    def __iter__(self) -> Iterator[ZipInfo]:
        self.file.seek(0)
        for _number in range(self.number):
            yield pickle.load(self.file)  # noqa: S301  # written above

    def close(self) -> None:
        self.file.close()


class Forgetful(dict[str, ZipInfo]):
    """No name comes twice: none has to be looked for."""

    def __setitem__(self, name: str, info: ZipInfo) -> None:
        pass
