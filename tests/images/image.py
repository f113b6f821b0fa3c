"""A built image: its configuration, and its programs, run with the restrictions of a hardened container."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class CommandResult(NamedTuple):
    """A command's exit code, and its output and errors as one text."""

    code: int
    output: str


class Image:
    """An image in buildah's store, and a container with a read-only file system."""

    def __init__(self, identifier: str, buildah: Callable[..., str]) -> None:
        """`buildah` runs a buildah command and returns its output."""
        self._buildah = buildah
        self._identifier = identifier
        about: dict[str, Any] = json.loads(buildah("inspect", "--type", "image", identifier))
        self.config: dict[str, Any] = about["Docker"]["config"]
        self.history = [step["created_by"] for step in about["Docker"]["history"]]
        """The commands of the last stage, which are visible to everybody who has the image."""
        _base, *added = json.loads(about["Manifest"])["layers"]
        self.added_megabytes = sum(layer["size"] for layer in added) / 1e6
        """The unpacked size of the layers that the Dockerfile adds to its base."""
        self._container = buildah("from", "--pull-never", identifier)
        self.root = Path(buildah("mount", self._container))

    def remove(self) -> None:
        """Remove the container and the image."""
        self._buildah("rm", self._container)
        self._buildah("rmi", self._identifier)

    def start(self, *command: str, log: Path, uid: str = "", **variables: str) -> "subprocess.Popen[bytes]":
        """Start a command, by default the image's own, with the image's user, working folder and variables.

        Only /tmp and /dev/shm are writable, and there are no capabilities. All processes end with the one that is returned.
        The command is process 1. The network is the host's, so that PostgreSQL and S3 are on 127.0.0.1.
        """
        user, _, group = (uid or self.config["User"]).partition(":")
        with log.open("ab") as output:
            return subprocess.Popen(
                [
                    *("bwrap", "--ro-bind", self.root, "/", "--proc", "/proc", "--dev", "/dev"),
                    *("--perms", "1777", "--tmpfs", "/tmp", "--perms", "1777", "--tmpfs", "/dev/shm"),
                    *("--unshare-pid", "--unshare-ipc"),
                    *("--unshare-uts", "--hostname", "localhost"),  # a name that resolves
                    *("--as-pid-1", "--die-with-parent", "--chdir", self.config["WorkingDir"]),
                    *("setpriv", f"--reuid={user}", f"--regid={group or '0'}", "--clear-groups"),
                    *("--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--"),
                    *((self.config.get("Entrypoint") or []) + (list(command) or self.config["Cmd"])),
                ],
                env={**dict(each.split("=", 1) for each in self.config["Env"]), **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def run(self, *command: str, log: Path, seconds: float = 60, **variables: str) -> CommandResult:
        """Run a command and return its result; TimeoutExpired after `seconds`."""
        before = log.stat().st_size if log.exists() else 0
        process = self.start(*command, log=log, **variables)
        try:
            code = process.wait(seconds)
        finally:
            process.kill()
        return CommandResult(code, log.read_bytes()[before:].decode())
