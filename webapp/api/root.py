"""The root of the API: where everything is."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from webapp.api.base import ApiViewSet

LISTED = ("models", "advertisers", "runs", "stats", "health-live", "health-ready", "health-fresh")


class RootViewSet(ApiViewSet):
    """Which of an advertiser's products to show, ranked every night.

    Every URL also works without /api/v1, and with or without the last slash. Errors are problem documents (RFC 9457)
    whose "type" says what is wrong.
    """

    def retrieve(self, request: Request) -> Response:
        root = request.path.rstrip("/")
        return Response(
            {name: reverse(f"v1:{name}", request=request) for name in LISTED}
            | {name: reverse(name, request=request) for name in ("schema", "docs")}
            | {
                "recommendations": f"{root}/recommendations/{{advertiser_id}}/{{model}}",
                "recommendations-batch": f"{root}/recommendations/batch",
                "history": f"{root}/history/{{advertiser_id}}",
                "explain": f"{root}/explain/{{advertiser_id}}/{{model}}/{{product_id}}",
                "snapshots": f"{root}/snapshots/{{date}}",
            }
        )
