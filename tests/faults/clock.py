"""The portal on a machine whose clock a test sets while it runs.

How many seconds it is ahead, or behind, stands in the file that `CLOCK` names. Only what Python
asks of the clock is moved: no deadline, and no other program.
"""

import os
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import time_machine

from config.wsgi import application as portal

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

FILE = Path(os.environ["CLOCK"])
travel = time_machine.travel(datetime.now(UTC))
clock = travel.start()
# Neither is moved.
began, begun = datetime.now(UTC), time.monotonic()


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    ahead = float(FILE.read_text())
    clock.move_to(began + timedelta(seconds=time.monotonic() - begun + ahead))
    return portal(environ, start_response)
