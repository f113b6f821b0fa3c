"""Load on a server: as many requests as it takes (wrk), or so many a second (vegeta). Both are tools in their own right."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack.state import StackError

CONNECTIONS = 16  # as many as two workers have threads
INSTALL = {
    "wrk": "apt-get install wrk",
    "vegeta": "go install github.com/tsenart/vegeta/v12@v12.13.0",
}
# Requests are made once and then only sent, one after the other; the last line is for us to read.
SCRIPT = """
local requests = {}
init = function(args)
  for line in io.lines("%s") do
    local path, key, etag = line:match("([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)")
    local headers = {}
    if key ~= "" then headers["Authorization"] = "Api-Key " .. key end
    if etag ~= "" then headers["If-None-Match"] = etag end
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
end
local sent = 0
request = function()
  sent = sent %% #requests + 1
  return requests[sent]
end
done = function(summary, latency, _)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(string.format('{"requests": %%d, "microseconds": %%d, "failed": %%d, "p99": %%d}',
                      summary.requests, summary.duration, failed, latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Question:
    """A request: its path, and the key and ETag that go with it, empty for none."""

    path: str
    key: str = ""
    etag: str = ""


def check_tools() -> None:
    for tool, command in INSTALL.items():
        if shutil.which(tool) is None:
            raise StackError(f"{tool} is not installed: {command}")


def as_many_as_it_takes(address: str, questions: Sequence[Question], seconds: int, folder: Path) -> dict[str, Any]:
    """Ask one after the other on some connections; return requests, microseconds, failed and p99 (microseconds)."""
    asked, script = folder / "questions", folder / "wrk.lua"
    write_privately(asked, "".join(f"{each.path}\t{each.key}\t{each.etag}\n" for each in questions))
    script.write_text(SCRIPT % asked)
    said = run("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), address)
    asked.unlink()
    found = json.loads(said.splitlines()[-1])
    if found["failed"]:
        raise StackError(f"{found['failed']} of {found['requests']} requests to {address} failed")
    return found


def at_a_rate(address: str, questions: Sequence[Question], rate: int, seconds: int, folder: Path) -> dict[str, Any]:
    """Ask so many times a second, however slow the answers are; return milliseconds by name: p50, p95, p99, max."""
    asked = folder / "questions"
    write_privately(
        asked, "".join(f"GET {address}{each.path}\nAuthorization: Api-Key {each.key}\n\n" for each in questions)
    )
    results = folder / "results"
    run("vegeta", "attack", f"-rate={rate}", f"-duration={seconds}s", f"-targets={asked}", f"-output={results}")
    report = json.loads(run("vegeta", "report", "-type=json", str(results)))
    asked.unlink()
    if set(report["status_codes"]) != {"200"}:
        raise StackError(f"answers at {rate} requests a second: {report['status_codes']}")
    names = {"p50": "50th", "p95": "95th", "p99": "99th", "max": "max"}
    return {name: report["latencies"][theirs] / 1e6 for name, theirs in names.items()}


def write_privately(path: Path, text: str) -> None:
    """A key stands in the text."""
    path.touch(mode=0o600)
    path.write_text(text)


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
