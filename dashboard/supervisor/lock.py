"""One start per data folder: two beats would tick twice, two servers would share one socket."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO


class AlreadyRunning(Exception):
    """Another start holds the folder; `str()` says so in a sentence."""


def hold(data_dir: Path) -> IO[str]:
    """Hold the folder until the returned file is closed or this process ends, however it ends."""
    path = data_dir / "up.lock"
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        pid = file.read().strip()
        file.close()
        raise AlreadyRunning(
            f"The dashboard already runs on {data_dir} (process {pid}). Stop it first, or choose "
            "another folder with DATA_DIR."
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
