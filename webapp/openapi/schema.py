"""Draws each view's part of the OpenAPI document from its attributes: query, filters, serializer, guards, problems."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from webapp.openapi import examples, parameters, problems
from webapp.rankings.questions import PublishedView

PREFIX = "/api/v1/"


def only_versioned(endpoints: list[Any], **_: Any) -> list[Any]:
    """The addresses under /api/v1/ with a last slash; each also answers at the root, and without the slash."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(PREFIX) and endpoint[0].endswith("/")]


class QuestionSchema(AutoSchema):
    def get_operation_id(self) -> str:
        """The route, as a name: recommendations, health_live."""
        words = self.path.removeprefix(PREFIX).strip("/").replace("-", "_").split("/")
        return "_".join(word for word in words if not word.startswith("{")) or "root"

    def get_tags(self) -> list[str]:
        return ["health" if self.path.startswith(f"{PREFIX}health") else "lists"]

    def get_summary(self) -> str:
        return str(self.view.__doc__).strip().splitlines()[0]

    def get_description(self, *unused: Any) -> str:
        _, _, rest = parameters.without_meanings(super().get_description()).partition("\n")
        return rest.strip()

    def get_filter_backends(self) -> list[Any]:
        return []  # the parameters below have the filters too

    def get_override_parameters(self) -> list[Any]:
        found: list[Any] = [*super().get_override_parameters()]
        if hasattr(self.view, "query_class"):
            found += parameters.parameters_of(self.view, self.path)
        return [*found, *self.headers()]

    def headers(self) -> list[OpenApiParameter]:
        def header(name: str, meaning: str, statuses: list[int]) -> OpenApiParameter:
            return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=meaning, response=statuses)

        found = [header("X-Request-ID", "The request's id in our logs: the caller's, if it was a UUID.", [200])]
        if isinstance(self.view, PublishedView):
            found += [
                header("ETag", "Changes when the answer does; send it as If-None-Match.", [200, 304]),
                header("Last-Modified", "When the answer last changed.", [200, 304]),
                header(
                    "Cache-Control", "How long the answer holds: until the next publication is expected.", [200, 304]
                ),
            ]
        return found

    def get_request_serializer(self) -> Any:
        body = getattr(self.view, "body_class", None)
        return body and {"application/json": parameters.schema_of_body(body)}

    def _get_request_body(self, *args: Any, **kwargs: Any) -> Any:
        """A body that is asked for is needed; of one that no serializer declares, drf-spectacular does not know."""
        body = super()._get_request_body(*args, **kwargs)
        return body and body | {"required": True}

    def get_response_serializers(self) -> Any:
        declared = getattr(self.view, "serializer_class", None) and super().get_response_serializers()
        answers = examples.answers(self.view, declared)
        if isinstance(self.view, PublishedView):
            answers[304] = OpenApiResponse(description="The caller has this answer: If-None-Match named its ETag.")
        plain = [HTTPStatus.NOT_ACCEPTABLE, HTTPStatus.METHOD_NOT_ALLOWED]
        if "{" in self.path:
            plain.append(HTTPStatus.NOT_FOUND)
        if self.method == "POST":
            plain.append(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if hasattr(self.view, "query_class"):
            plain.append(HTTPStatus.BAD_REQUEST)
        return answers | problems.responses(problems.of_view(self.view), plain)
