"""The server's requests: Django's, but for a header that Django would fail on before any middleware runs."""

from typing import Any

from django.core.handlers.wsgi import WSGIRequest


class Request(WSGIRequest):
    """Its `content_type` is None if the header cannot be parsed, for example if a parameter names an unknown encoding."""

    def _set_content_type_params(self, meta: Any) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]  # the stubs lack it
        except ValueError:
            self.content_type, self.content_params = None, {}
