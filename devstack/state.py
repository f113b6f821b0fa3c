"""Where the local services keep their data, logs, ports and passwords: `.devstack/` in the checkout."""

import fcntl
import hashlib
import json
import os
import pwd
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class StackError(Exception):
    """Something a person must mend: one sentence that says what, and how."""


@dataclass(frozen=True)
class Account:
    """The account that a child process is to run as."""

    uid: int
    gid: int
    name: str


def unprivileged_account() -> Account | None:
    """Return whom PostgreSQL is to run as when we are root, which it refuses; None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name)
    raise StackError("running as root, and there is no account 'postgres' or 'nobody' for PostgreSQL to run as")


def state_folder() -> Path:
    """Return `.devstack/`, made if need be.

    For root it is a link into /var/tmp: a checkout under /root is closed to the account that PostgreSQL runs as.
    """
    folder = ROOT / ".devstack"
    if os.geteuid() != 0:
        folder.mkdir(exist_ok=True)
        return folder
    real = Path("/var/tmp") / f"vitrina-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:10]}"
    real.mkdir(mode=0o755, exist_ok=True)
    if real.stat().st_uid != 0:
        raise StackError(f"{real} belongs to somebody else; remove it and try again")
    if folder.is_symlink() or not folder.exists():
        folder.unlink(missing_ok=True)
        folder.symlink_to(real)
    return real


def secret(folder: Path, name: str) -> str:
    """Return the password kept in `folder` under `name`, made at the first call; the file is readable by us alone."""
    path = folder / "secrets.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    if name not in kept:
        kept[name] = secrets.token_urlsafe(24)
        path.touch(mode=0o600)
        path.write_text(json.dumps(kept, indent=1))
    return kept[name]


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold `path` as a lock, so that two starters at once make one server."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def last_line(text: str) -> str:
    """Return the last line that says something."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no reason given").strip()
