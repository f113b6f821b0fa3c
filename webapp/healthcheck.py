"""What the image's HEALTHCHECK runs, `python -m webapp.healthcheck`: the image has no curl.

Exit code 0 where this machine's web server says that it is ready, 1 with its reasons where it does not. It asks for the
first host of ALLOWED_HOSTS, since the server answers for no other.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException


def main() -> int:
    """Run from the command line; return the exit code."""
    host = os.environ.get("ALLOWED_HOSTS", "").partition(",")[0].strip().lstrip(".")
    server = HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or "8000"), timeout=8)
    try:
        server.request("GET", "/health/ready", headers={"Host": "localhost" if host in {"", "*"} else host})
        answer = server.getresponse()
        print(answer.read().decode())
    except (OSError, HTTPException) as trouble:
        print(f"the web server does not answer: {trouble}", file=sys.stderr)
        return 1
    return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
