"""An image that was built: what its configuration says, and its programs, run as a careful container engine would."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Ended(NamedTuple):
    """How a command ended: its exit code, and its output and errors as one text."""

    code: int
    said: str


class Image:
    """An image in buildah's store, and a container of it whose files can only be read."""

    def __init__(self, identifier: str, buildah: Callable[..., str]) -> None:
        """`buildah` runs one of buildah's commands and returns what it prints."""
        self._buildah = buildah
        self._identifier = identifier
        about: dict[str, Any] = json.loads(buildah("inspect", "--type", "image", identifier))
        self.config: dict[str, Any] = about["Docker"]["config"]
        self.history = [step["created_by"] for step in about["Docker"]["history"]]
        """The commands of the last stage, which whoever has the image can read."""
        _base, *ours = json.loads(about["Manifest"])["layers"]
        self.added_megabytes = sum(layer["size"] for layer in ours) / 1e6
        """What the image's layers hold beside those of its base, unpacked."""
        self._container = buildah("from", "--pull-never", identifier)
        self.root = Path(buildah("mount", self._container))

    def remove(self) -> None:
        """Remove image and container."""
        self._buildah("rm", self._container)
        self._buildah("rmi", self._identifier)

    def start(self, *command: str, log: Path, uid: str = "", **variables: str) -> "subprocess.Popen[bytes]":
        """Start a command, or the image's own, in its folder, as its user, with its variables and those given.

        Nothing can be written but /tmp and /dev/shm, no capability is there, and none can be had; processes end with the
        one that is returned. The network is this machine's, so that 127.0.0.1 has PostgreSQL and S3.
        """
        user, _, group = (uid or self.config["User"]).partition(":")
        with log.open("ab") as words:
            return subprocess.Popen(
                [
                    *("bwrap", "--ro-bind", self.root, "/", "--proc", "/proc", "--dev", "/dev"),
                    *("--perms", "1777", "--tmpfs", "/tmp", "--perms", "1777", "--tmpfs", "/dev/shm"),
                    *("--unshare-pid", "--unshare-ipc"),
                    *("--unshare-uts", "--hostname", "localhost"),  # a name that is known
                    *("--die-with-parent", "--chdir", self.config["WorkingDir"]),
                    *("setpriv", f"--reuid={user}", f"--regid={group or '0'}", "--clear-groups"),
                    *("--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--"),
                    *((self.config.get("Entrypoint") or []) + (list(command) or self.config["Cmd"])),
                ],
                env={**dict(each.split("=", 1) for each in self.config["Env"]), **variables},
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
            )

    def run(self, *command: str, log: Path, seconds: float = 60, **variables: str) -> Ended:
        """Run a command to its end; TimeoutExpired after `seconds`."""
        before = log.stat().st_size if log.exists() else 0
        process = self.start(*command, log=log, **variables)
        try:
            code = process.wait(seconds)
        finally:
            process.kill()
        return Ended(code, log.read_bytes()[before:].decode())
