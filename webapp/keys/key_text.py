"""The text of a key, PREFIX.SECRET: the prefix finds the key, the secret proves it.

A secret of 256 random bits cannot be guessed from its digest, so SHA-256 is enough. A slow password hash would add
milliseconds to every request (docs/decisions/api-keys.md).
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
    """Whether the digest is the secret's, compared in constant time."""
    return hmac.compare_digest(digest_of(secret), digest)


def join(prefix: str, secret: str) -> str:
    return f"{prefix}.{secret}"


def parse(text: str) -> tuple[str, str]:
    """Split a key into prefix and secret; ValueError if it has another form."""
    prefix, _, secret = text.partition(".")
    if not PREFIX.fullmatch(prefix) or not secret:
        raise ValueError("not a key")
    return prefix, secret
