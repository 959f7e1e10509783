"""Cloudflare's own command-line tool and local engine, and axe-core, installed once into a folder
git ignores.

The node that runs it comes from the npm package `node`: the machine's own may be too old.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE.parent.parent / ".tools" / "wrangler"
FILES = ("package.json", "package-lock.json")


def ensure_wrangler() -> Path:
    """Install what `package.json` pins, unless it is there; two at a time are safe."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with (TARGET / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_current():
            _install()
    return TARGET


def axe_core() -> str:
    """The script that finds what keeps people from using a page."""
    return (ensure_wrangler() / "node_modules" / "axe-core" / "axe.min.js").read_text()


def _is_current() -> bool:
    stamp = TARGET / "node_modules" / ".installed-package.json"
    return stamp.exists() and stamp.read_bytes() == (HERE / "package.json").read_bytes()


def _install() -> None:
    """Not `npm ci`: a lock made where packages of other systems are missing would be refused."""
    for name in FILES:
        shutil.copyfile(HERE / name, TARGET / name)
    command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=TARGET, check=True, timeout=600)
    shutil.copyfile(HERE / "package.json", TARGET / "node_modules" / ".installed-package.json")


def environment(folder: Path) -> dict[str, str]:
    """Variables that keep every file it writes in its folder, and it from reporting anything."""
    home = folder / "home"
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "TMPDIR": str(home / "tmp"),
        "PATH": f"{folder / 'node_modules' / '.bin'}:{os.environ['PATH']}",
        "WRANGLER_SEND_METRICS": "false",
        "WRANGLER_SEND_ERROR_REPORTS": "false",
        "WRANGLER_HIDE_BANNER": "true",
        "WRANGLER_LOG_PATH": str(home / "logs"),
        "WRANGLER_REGISTRY_PATH": str(home / "registry"),
        "CLOUDFLARE_CF_FETCH_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "NO_COLOR": "1",
        "CI": "1",
    }


def command(folder: Path) -> list[str]:
    """How to start wrangler with the node that belongs to it."""
    node = folder / "node_modules" / "node" / "bin" / "node"
    return [str(node), str(folder / "node_modules" / "wrangler" / "bin" / "wrangler.js")]
