"""`.devstack/` in the checkout, where the local services keep their data, logs, ports and passwords."""

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
    """A problem that the user must fix; the message says what it is and how to fix it."""


@dataclass(frozen=True)
class Account:
    """A system account to run a child process as."""

    uid: int
    gid: int
    name: str


def unprivileged_account() -> Account | None:
    """Return the account for PostgreSQL, which refuses to run as root; None if we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name)
    raise StackError("PostgreSQL cannot run as root, and there is no account 'postgres' or 'nobody' to run it as")


def state_folder() -> Path:
    """Return `.devstack/`, created if it is missing.

    For root it links to a folder in /var/tmp, because PostgreSQL's account cannot read a checkout under /root.
    """
    folder = ROOT / ".devstack"
    if os.geteuid() != 0:
        folder.mkdir(exist_ok=True)
        return folder
    real = Path("/var/tmp") / f"vitrina-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:10]}"
    real.mkdir(mode=0o755, exist_ok=True)
    if real.stat().st_uid != 0:
        raise StackError(f"{real} belongs to another user; remove it and try again")
    if folder.is_symlink() or not folder.exists():
        folder.unlink(missing_ok=True)
        folder.symlink_to(real)
    return real


def secret(folder: Path, name: str) -> str:
    """Return the password called `name`, created at the first call. Only its owner can read the file."""
    path = folder / "secrets.json"
    passwords = json.loads(path.read_text()) if path.exists() else {}
    if name not in passwords:
        passwords[name] = secrets.token_urlsafe(24)
        path.touch(mode=0o600)
        path.write_text(json.dumps(passwords, indent=1))
    return passwords[name]


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock on the file `path`, so that concurrent starts create only one server."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def last_line(text: str) -> str:
    """Return the last line that is not empty."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no output").strip()
