"""A key's text: PREFIX.SECRET, where the prefix finds the key and the secret proves it.

The secret is 256 random bits, so nobody guesses it from its digest and a plain SHA-256 is enough; a slow hash, made for
passwords that people choose, would cost every request milliseconds for nothing (docs/decisions/api-keys.md).
"""

import hashlib
import hmac
import re
import secrets

PREFIX = re.compile("[0-9a-f]{12}")


def new_prefix() -> str:
    return secrets.token_hex(6)


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, digest: str) -> bool:
    """Tell whether it is the digest's secret, in a time that does not depend on how much of it is right."""
    return hmac.compare_digest(digest_of(secret), digest)


def written(prefix: str, secret: str) -> str:
    return f"{prefix}.{secret}"


def read(text: str) -> tuple[str, str]:
    """Return the prefix and the secret of a key's text; ValueError if it cannot be one."""
    prefix, _, secret = text.partition(".")
    if not PREFIX.fullmatch(prefix) or not secret:
        raise ValueError("not a key")
    return prefix, secret
