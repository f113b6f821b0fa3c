"""The image's HEALTHCHECK, `python -m webapp.operations.healthcheck`, because the image has no curl.

Exit code 0 if the web server in this container is ready, 1 if not. The request names the first of ALLOWED_HOSTS, since
the server rejects any other Host header.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException


def main() -> int:
    host = os.environ.get("ALLOWED_HOSTS", "").partition(",")[0].strip().lstrip(".")
    server = HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or "8000"), timeout=8)
    try:
        server.request("GET", "/health/ready", headers={"Host": "localhost" if host in {"", "*"} else host})
        response = server.getresponse()
        print(response.read().decode())
    except (OSError, HTTPException) as error:
        print(f"The web server does not respond: {error}", file=sys.stderr)
        return 1
    return 0 if response.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
