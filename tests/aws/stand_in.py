"""Stands in for aws, docker, make, curl, sha256sum and sleep: records each call, and keeps an account in the file STATE.

tests/aws/test_deploy.py installs it under these names. Standard library only.
"""

import fcntl
import json
import os
import sys
from pathlib import Path

OUTPUTS = {
    "Bucket": "bucket",
    "WebRepository": "registry/vitrina/web",
    "SparkRepository": "registry/vitrina/spark",
    "Cluster": "cluster",
    "Tasks": "network",
    "Database": "db-1",
}


def main() -> int:
    """Answer one call like the program under whose name it was called; return the exit code."""
    program, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    calls = [" ".join([program, *arguments])]
    if program == "docker" and "-" in arguments:
        calls.append(" ".join(sys.stdin.read().split()))
    with open(os.environ["STATE"], "r+") as file:  # noqa: PTH123  # the calls of a pipe come at the same time
        fcntl.flock(file, fcntl.LOCK_EX)
        state = json.load(file)
        code = reply(program, arguments, calls, state)
        file.seek(0)
        file.truncate()
        json.dump(state, file)
    return code


def reply(program, arguments, calls, state) -> int:
    """Record the calls and answer them, unless they are to fail; return the exit code."""
    if "run-task" in arguments:
        [overridden] = json.loads(arguments[arguments.index("--overrides") + 1])["containerOverrides"]
        calls.append(" ".join(overridden["command"]))
        state["exit_code"] = 0
    state["calls"] += calls
    fails = bool(state["fails_at"]) and any(call.startswith(state["fails_at"]) for call in calls)
    if fails and "run-task" in arguments:
        state["exit_code"], fails = 1, False
    return 1 if fails else answered(program, arguments, state)


def answered(program, arguments, state) -> int:
    """Print the answer to a call, and change the state as it would; return the exit code."""
    if program == "docker" and arguments[0] == "push":
        state["there"].append(arguments[1])
    if program != "aws":
        return 0
    service, operation = arguments[:2]
    if (service, operation) == ("ecr", "describe-images"):
        repository, tag = arguments[arguments.index("--repository-name") + 1], arguments[-1].removeprefix("imageTag=")
        return 0 if f"registry/{repository}:{tag}" in state["there"] else 254
    if (service, operation) == ("s3", "ls"):
        return 0 if arguments[2] in state["there"] else 1
    if (service, operation) == ("s3", "cp") and arguments[-1].endswith("nightly.py"):
        state["there"].append(arguments[-1])
    if (service, operation) in (("cloudformation", "update-stack"), ("cloudformation", "deploy")):
        pairs = [word.removeprefix("ParameterKey=").replace(",ParameterValue=", "=") for word in arguments]
        new = dict(pair.split("=", 1) for pair in pairs if "=" in pair and "UsePreviousValue" not in pair)
        state["parameters"] |= new
    print(text_of(operation, arguments, state), end="")
    return 0


def text_of(operation, arguments, state) -> str:
    """Return what `aws` prints with `--output text`."""
    query = arguments[arguments.index("--query") + 1] if "--query" in arguments else ""
    quoted = query.split("'")[1] if "'" in query else ""
    if operation == "describe-stacks" and "Outputs" in query:
        outputs = OUTPUTS | {"Application": "app"} if "ImageTag" in state["parameters"] else OUTPUTS
        return outputs.get(quoted, state["parameters"].get(quoted, ""))
    if operation == "describe-stacks" and "!=" in query:
        return "\t".join(name for name in state["parameters"] if name != quoted)
    if operation == "describe-stacks":
        return state["parameters"].get(quoted, "")
    if operation == "get-application":
        return state["application"]
    if operation == "stop-application":
        state["application"] = "STOPPED"
    answers = {
        "run-task": "arn/task-1",
        "describe-tasks": state.get("exit_code"),
        "list-job-runs": state.get("at_work", 0),
    }
    return str(answers.get(operation, ""))


if __name__ == "__main__":
    sys.exit(main())
