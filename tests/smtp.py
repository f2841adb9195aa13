"""A mail server on a socket, as good or bad as a test wants it."""

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from pytest_django.fixtures import Settings


@dataclass
class MailServer:
    """`answers`: what it says to a recipient in place of 250; `way`: how it goes wrong for all."""

    port: int = 0
    way: str = ""
    answers: dict[str, int] = field(default_factory=dict)
    messages: list[tuple[str, EmailMessage]] = field(default_factory=list)
    connections: int = 0

    def recipients(self) -> list[str]:
        return [to for to, _message in self.messages]


class Talk(socketserver.StreamRequestHandler):
    timeout = 30
    known: MailServer

    def say(self, line: str) -> None:
        if self.known.way == "slow":
            time.sleep(0.3)
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        server, to = self.known, ""
        server.connections += 1
        if server.way == "silent":
            # Until the other side is tired of it.
            self.rfile.read(1)
            return
        if server.way == "busy":
            self.say("421 too many connections")
            return
        self.say("220 stub")
        while line := self.rfile.readline().decode().strip():
            verb, _space, rest = line.partition(" ")
            match verb.upper():
                case "RCPT":
                    to = rest.partition("<")[2].partition(">")[0]
                    if server.way == "drops at the recipient":
                        return
                    code = server.answers.get(to, 250)
                    self.say(f"{code} {to} said")
                case "DATA":
                    self.say("354 go on")
                    self.take_message(to)
                    if server.way == "drops after taking":
                        return
                    refused = 554 if server.way == "refuses the text" else 250
                    self.say(f"{refused} done")
                case "QUIT":
                    self.say("221 bye")
                    return
                case "MAIL" if server.way == "refuses the sender":
                    self.say("550 who are you")
                case _:
                    self.say("250 ok")

    def take_message(self, to: str) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        if self.known.way != "refuses the text":
            message: Any = message_from_bytes(b"".join(lines), policy=policy.default)
            self.known.messages.append((to, message))


class Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    # A silent talk shall not hold up the end of a test.
    block_on_close = False


@contextmanager
def listening(**options: Any) -> Iterator[MailServer]:
    known = MailServer(**options)
    talk = type("TalkToThis", (Talk,), {"known": known})
    with Listener(("127.0.0.1", known.port), talk) as listener:
        known.port = listener.server_address[1]
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield known
        finally:
            listener.shutdown()
            thread.join()


@contextmanager
def mail_server(settings: Settings, **options: Any) -> Iterator[MailServer]:
    """Listens, and is what the sender speaks to."""
    with listening(**options) as known:
        settings.MAIL_TRANSPORT = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", known.port
        settings.EMAIL_TIMEOUT = 1
        yield known
