"""The portal on either engine, with a disk, a clock and an editor: all that a fault takes away."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connections
from django.db.utils import ConnectionHandler

from clusters.models import Cluster, Role
from config.settings import database_options, env
from tests.factories import make_account, make_cluster
from tests.faults.processes import (
    SECONDS_TO_START,
    Answer,
    Granian,
    PostgresServer,
    granian,
    sqlite,
    wait_until,
)
from tests.pages import Page
from tests.postgres import unprivileged

# Within this whoever asks has an answer, also on a busy machine; a wait takes four seconds of it.
DEADLINE = 10.0

Note = Callable[[str, object], None]

ADDRESS, PASSWORD = "editor@example.org", "a-password-for-all-faults"


def is_refused(answer: Answer) -> bool:
    assert answer.status == 503, (answer.status, answer.text)
    assert answer.headers["retry-after"] == "60"
    assert answer.headers["cache-control"] == "no-store"
    assert "content-security-policy" in answer.headers
    assert answer.seconds < DEADLINE
    return True


@contextmanager
def using(address: str) -> Iterator[None]:
    """Whatever this process asks meanwhile is asked of that database."""
    given = env.db_url_config(address)
    own = connections["default"]
    handler = ConnectionHandler({"default": given | database_options(given)})
    connections["default"] = handler["default"]
    try:
        yield
    finally:
        handler["default"].close()
        connections["default"] = own


# A disk


@dataclass
class Disk:
    """A small file system of its own, where one may be mounted; else a folder."""

    path: Path
    is_mounted: bool

    def fill(self) -> None:
        free = shutil.disk_usage(self.path).free
        with self.ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free)

    def empty(self) -> None:
        self.ballast.unlink(missing_ok=True)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """The same files, of which nobody who opens one now can write it."""
        path = str(self.path)
        assert mount(["--bind", path, path])
        try:
            assert mount(["-o", "remount,bind,ro", path])
            yield
        finally:
            unmount(self.path)

    @property
    def ballast(self) -> Path:
        return self.path / "ballast"


@contextmanager
def disk(megabytes: int, **rights: Any) -> Iterator[Disk]:
    """`rights`: whose it is, as `unprivileged` has it."""
    path = Path(tempfile.mkdtemp(prefix="portal-disk-"))
    options = f"size={megabytes}m,mode=0700"
    if rights:
        options += f",uid={rights['user']},gid={rights['group']}"
    mounted = mount(["-t", "tmpfs", "-o", options, "tmpfs", str(path)])
    if not mounted and rights:
        os.chown(path, rights["user"], rights["group"])
    try:
        yield Disk(path, mounted)
    finally:
        if mounted:
            unmount(path)
        shutil.rmtree(path)


def mount(arguments: list[str]) -> bool:
    if not shutil.which("mount"):
        return False
    done = subprocess.run(["mount", *arguments], capture_output=True, check=False)  # noqa: S607
    return done.returncode == 0


def unmount(path: Path) -> None:
    # At once, though a process may have a file of it open.
    subprocess.run(["umount", "--lazy", str(path)], check=True)  # noqa: S607


# Who edits


def form_in(answer: Answer, field: str) -> dict[str, str]:
    """The form of a page that has this field, as it is sent by its first button."""
    form = next(form for form in Page(answer.text).forms if field in form.fields)
    others = {"_addanother", "_continue", "_confirm", "_saveasnew"}
    return {name: value for name, value in form.fields.items() if name not in others}


@dataclass
class Editor:
    """Somebody signed in, with the cookies of a browser."""

    portal: Granian
    cookies: dict[str, str] = field(default_factory=dict)

    def sign_in(self) -> Answer:
        form = self.form("/en/account/login/", "login")
        return self.send("/en/account/login/", form | {"login": ADDRESS, "password": PASSWORD})

    def stay_signed_in(self) -> None:
        if self.get("/admin/").status != 200:
            assert self.sign_in().status == 302

    def get(self, path: str) -> Answer:
        return self.remember(self.portal.get(path, Cookie=self.cookie))

    def form(self, path: str, field: str) -> dict[str, str]:
        """What the form with this field sends where nobody types."""
        answer = self.get(path)
        assert answer.status == 200, (path, answer.status, answer.text)
        return form_in(answer, field)

    def send(self, path: str, fields: Mapping[str, str], **files: tuple[str, bytes]) -> Answer:
        """`files`: name and content by the name of the field."""
        if not files:
            body = urlencode(fields).encode()
            return self.remember(self.portal.post(path, body, Cookie=self.cookie))
        border = uuid4().hex
        body = b"".join(part(border, name, value.encode()) for name, value in fields.items())
        for name, (file_name, content) in files.items():
            body += part(border, f'{name}"; filename="{file_name}', content)
        return self.remember(
            self.portal.post(
                path,
                body + f"--{border}--\r\n".encode(),
                Cookie=self.cookie,
                **{"Content-Type": f"multipart/form-data; boundary={border}"},
            )
        )

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def remember(self, answer: Answer) -> Answer:
        self.cookies |= answer.cookies
        return answer


def part(border: str, name: str, content: bytes) -> bytes:
    head = f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


# The whole


@dataclass
class Site:
    engine: str
    portal: Granian
    address: str
    disk: Disk
    media: Disk
    clock: Path
    cluster: int
    postgres: PostgresServer | None
    editor: Editor

    @property
    def file(self) -> Path:
        return Path(self.address.removeprefix("sqlite:///"))

    @property
    def media_folder(self) -> Path:
        # As tests/settings.py has it.
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        return self.media.path / "run" / worker / "media"

    @property
    def form_path(self) -> str:
        return f"/admin/clusters/cluster/{self.cluster}/change/"

    def opened_form(self, **typed: str) -> dict[str, str]:
        """The editor's form of the cluster, with what was typed."""
        return self.editor.form(self.form_path, "_versions") | typed

    def save(self, form: Mapping[str, str], **files: tuple[str, bytes]) -> Answer:
        return self.editor.send(self.form_path, form, **files)

    def stored(self) -> dict[str, Any]:
        """The number of rows of each table, and what the cluster says."""
        with using(self.address):
            rows = {
                model._meta.label: model._base_manager.count()
                for model in apps.get_models()
                if model is not Session
            }
            return rows | Cluster.objects.filter(pk=self.cluster).values()[0]

    def town(self) -> str:
        with using(self.address):
            return Cluster.objects.get(pk=self.cluster).town

    def versions(self) -> int:
        with using(self.address):
            number: int = Cluster.history.filter(id=self.cluster).count()
            return number

    def execute(self, statement: str) -> None:
        with using(self.address), connections["default"].cursor() as cursor:
            cursor.execute(statement)

    def end_connections(self) -> None:
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    def back_up(self) -> None:
        if self.postgres:
            # A database that somebody is connected to is no template.
            self.end_connections()
            self.postgres.new_database("backup", "site")
        else:
            with closing(sqlite3.connect(self.file)) as own:
                own.execute(f"VACUUM INTO '{self.backup}'")

    @property
    def backup(self) -> Path:
        return self.file.with_name("backup.sqlite3")

    def logo(self) -> str:
        """The address of the cluster's picture."""
        with using(self.address):
            return f"/media/{Cluster.objects.get(pk=self.cluster).logo.name}"

    def pictures(self) -> set[Path]:
        return {path for path in self.media_folder.rglob("*") if path.is_file()}

    def set_clock(self, seconds_ahead: float) -> None:
        # At once as a whole: the portal reads it all the time.
        new = self.clock.with_suffix(".new")
        new.write_text(str(seconds_ahead))
        new.replace(self.clock)

    def is_well(self) -> bool:
        try:
            return self.portal.get("/en/search/?q=biopmed").status == 200
        except OSError:
            return False  # a worker that was killed is not started again yet

    def mend(self) -> None:
        if self.postgres:
            self.postgres.go_on()
        self.disk.empty()
        self.media.empty()
        self.set_clock(0)

    def recover(self) -> float:
        """The seconds until a visitor is served again."""
        return wait_until(self.is_well, SECONDS_TO_START)


def filled_database(disk: Disk, postgres: PostgresServer | None) -> str:
    """With an editor and a public cluster."""
    if postgres:
        postgres.execute(f"CREATE TABLESPACE small LOCATION '{disk.path}'")
        postgres.execute("CREATE DATABASE site TEMPLATE migrated TABLESPACE small")
        # What a copied sequence gives out before that is given out again after a crash.
        postgres.execute("CHECKPOINT")
    address = postgres.address_of("site") if postgres else sqlite(disk.path)
    with using(address):
        account = make_account(Role.LEAD, email=ADDRESS)
        account.set_password(PASSWORD)
        account.save()
        make_cluster(slug="biopmed", name="bioPmed", town="Torino", is_published=True)
    return address


@contextmanager
def running_site(engine: str, folder: Path, postgres: PostgresServer | None) -> Iterator[Site]:
    with ExitStack() as stack:
        rights = unprivileged() if postgres else {}
        small = stack.enter_context(disk(64, **rights))
        media = stack.enter_context(disk(4))
        address = filled_database(small, postgres)
        clock = folder / "clock"
        clock.write_text("0")
        portal = stack.enter_context(
            granian(
                address,
                folder,
                application="tests.faults.clock:application",
                CLOCK=str(clock),
                TEST_RUN=str(media.path / "run"),
            )
        )
        with using(address):
            cluster = Cluster.objects.get().pk
        yield Site(engine, portal, address, small, media, clock, cluster, postgres, Editor(portal))
        if postgres:
            postgres.execute("DROP DATABASE site WITH (FORCE)")
            postgres.execute("DROP TABLESPACE small")
