"""Each view's part of the OpenAPI schema, from its query, filters, serializer, permissions and problems."""

import inspect
from http import HTTPStatus
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from webapp.api.base import ApiViewSet, PublishedViewSet
from webapp.api.openapi import parameters, problems
from webapp.api.openapi.successes import successes

PREFIX = "/api/v1/"


def only_versioned(endpoints: list[Any], **_: Any) -> list[Any]:
    """The URLs under /api/v1/ with a last slash; each also works at the root, and without the slash."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(PREFIX) and endpoint[0].endswith("/")]


class ApiSchema(AutoSchema):
    def get_operation_id(self) -> str:
        """The route as a name, such as recommendations or health_live."""
        words = self.path.removeprefix(PREFIX).strip("/").replace("-", "_").split("/")
        return "_".join(word for word in words if not word.startswith("{")) or "root"

    def get_tags(self) -> list[str]:
        return ["health" if self.path.startswith(f"{PREFIX}health") else "lists"]

    def get_summary(self) -> str:
        return self.documentation()[0]

    def get_description(self, *unused: Any) -> str:
        return self.documentation()[1]

    def documentation(self) -> tuple[str, str]:
        """The first line of the view's docstring, and the rest."""
        summary, _, rest = inspect.cleandoc(type(self.view).__doc__ or "").partition("\n")
        return summary, rest.strip()

    def get_filter_backends(self) -> list[Any]:
        return []  # get_override_parameters includes the filters

    def get_override_parameters(self) -> list[Any]:
        found: list[Any] = [*super().get_override_parameters()]
        if isinstance(self.view, ApiViewSet):
            found += [*parameters.path_parameters(self.path), *parameters.query_parameters(self.view)]
        return [*found, *self.headers()]

    def headers(self) -> list[OpenApiParameter]:
        def header(name: str, meaning: str, statuses: list[int]) -> OpenApiParameter:
            return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=meaning, response=statuses)

        found = [
            header("X-Request-ID", "The request's id in the server's log; the client's own, if it sent a UUID.", [200])
        ]
        if isinstance(self.view, PublishedViewSet):
            found += [
                header("ETag", "Changes when the response does; send it as If-None-Match.", [200, 304]),
                header("Cache-Control", "How long to keep the response: until new lists are expected.", [200, 304]),
            ]
        return found

    def get_request_serializer(self) -> Any:
        body = getattr(self.view, "body_class", None)
        return body and {"application/json": parameters.schema_of_body(body)}

    def _get_request_body(self, *args: Any, **kwargs: Any) -> Any:
        """Mark the body as required, which drf-spectacular does for serializers only."""
        body = super()._get_request_body(*args, **kwargs)
        return body and body | {"required": True}

    def get_response_serializers(self) -> Any:
        declared = getattr(self.view, "serializer_class", None) and super().get_response_serializers()
        responses = successes(self.get_operation_id(), declared)
        if isinstance(self.view, PublishedViewSet):
            responses[304] = OpenApiResponse(description="The client has this response: If-None-Match has its ETag.")
        plain = [HTTPStatus.NOT_ACCEPTABLE, HTTPStatus.METHOD_NOT_ALLOWED]
        if "{" in self.path:
            plain.append(HTTPStatus.NOT_FOUND)
        if self.method == "POST":
            plain.append(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if isinstance(self.view, ApiViewSet):
            plain.append(HTTPStatus.BAD_REQUEST)
        return responses | problems.responses(problems.of_view(self.view), plain)
