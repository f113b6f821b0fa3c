"""Run, inspect and stop the local services; the Makefile's targets call this."""

import argparse
import shlex
import sys

from devstack.chromium import find_chromium
from devstack.demo import demo, stop_demo
from devstack.package import package
from devstack.postgres import BATCH, OWNER, WEB
from devstack.stack import Stack
from devstack.state import ROOT, StackError, state_folder
from devstack.steps import SetupError, say


def main() -> int:
    """Run one subcommand and return the exit code."""
    options = parser().parse_args()
    try:
        return perform(options, Stack(state_folder()))
    except (StackError, SetupError) as problem:
        say(f"devstack: {problem}")
        return 1
    except OSError as problem:  # a full disk, or a folder of another user
        where = problem.filename or "while writing"
        say(f"devstack: {problem.strerror}: {where}; free some disk space or fix the permissions")
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    commands = argparse.ArgumentParser(prog="python -m devstack", description=__doc__)
    verbs = commands.add_subparsers(dest="verb", required=True)
    verbs.add_parser("start", help="start PostgreSQL and S3 and migrate the database")
    verbs.add_parser("stop", help="stop both, and the demo if it is running")
    verbs.add_parser("status", help="print whether they are running, their addresses and their logs")
    verbs.add_parser("env", help="print `export` lines for a shell; starts the services if necessary")
    run = verbs.add_parser("run", help="run a command in that environment; starts the services if necessary")
    run.add_argument("--as", dest="role", choices=(OWNER, BATCH, WEB), default=OWNER, help="its database role")
    run.add_argument("command", nargs=argparse.REMAINDER)
    verbs.add_parser("package", help="write the files that a cluster needs for the job into dist/")
    verbs.add_parser("chromium", help="print the browser for the tests; root installs a missing one")
    verbs.add_parser("demo", help="run everything until Ctrl-C").add_argument("--port", type=_port, default=8000)
    return commands


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"'{text}' is not a port from 1 to 65535")
    return int(text)


def perform(options: argparse.Namespace, stack: Stack) -> int:
    """Run the subcommand."""
    if options.verb == "demo":
        demo(stack, options.port)
    elif options.verb == "stop":
        stop_demo(stack)
        stack.stop()
    elif options.verb == "package":
        print("\n".join(str(path.relative_to(ROOT)) for path in package(ROOT / "dist")))
    elif options.verb == "chromium":
        print(find_chromium())
    elif options.verb == "status":
        print(stack.status())
    else:
        if not stack.is_running():
            stack.start()
            stack.migrate()
        if options.verb == "env":
            print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in stack.exports().items()))
        elif options.verb == "run":
            stack.run(*options.command, role=options.role)
    return 0


if __name__ == "__main__":
    sys.exit(main())
