"""Put load on a server: as many requests as it can serve (wrk), or a fixed rate (vegeta)."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack.state import StackError

CONNECTIONS = 16  # the number of threads of two workers
INSTALL = {
    "wrk": "apt-get install wrk",
    "vegeta": "go install github.com/tsenart/vegeta/v12@v12.13.0",
}
# wrk's script builds the requests once and then sends them in order. We parse the line that it prints at the end.
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
class Request:
    """A request: its path, key and ETag; empty for none."""

    path: str
    key: str = ""
    etag: str = ""


def check_tools() -> None:
    for tool, command in INSTALL.items():
        if shutil.which(tool) is None:
            raise StackError(f"{tool} is not installed: {command}")


def at_full_speed(address: str, requests: Sequence[Request], seconds: int, folder: Path) -> dict[str, Any]:
    """Keep CONNECTIONS busy; return the number of requests, microseconds, failed requests and p99 (microseconds)."""
    targets, script = folder / "requests", folder / "wrk.lua"
    write_privately(targets, "".join(f"{each.path}\t{each.key}\t{each.etag}\n" for each in requests))
    script.write_text(SCRIPT % targets)
    output = run("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), address)
    targets.unlink()
    found = json.loads(output.splitlines()[-1])
    if found["failed"]:
        raise StackError(f"{found['failed']} of {found['requests']} requests to {address} failed")
    return found


def at_a_rate(address: str, requests: Sequence[Request], rate: int, seconds: int, folder: Path) -> dict[str, Any]:
    """Send `rate` requests per second, however slow the responses are; return p50, p95, p99 and max in milliseconds."""
    targets = folder / "requests"
    write_privately(
        targets, "".join(f"GET {address}{each.path}\nAuthorization: Api-Key {each.key}\n\n" for each in requests)
    )
    results = folder / "results"
    run("vegeta", "attack", f"-rate={rate}", f"-duration={seconds}s", f"-targets={targets}", f"-output={results}")
    report = json.loads(run("vegeta", "report", "-type=json", str(results)))
    targets.unlink()
    if set(report["status_codes"]) != {"200"}:
        raise StackError(f"status codes at {rate} requests per second: {report['status_codes']}")
    latency_names = {"p50": "50th", "p95": "95th", "p99": "99th", "max": "max"}
    return {name: report["latencies"][vegetas] / 1e6 for name, vegetas in latency_names.items()}


def write_privately(path: Path, text: str) -> None:
    """Write a file that only its owner can read, because the text contains a key."""
    path.touch(mode=0o600)
    path.write_text(text)


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
