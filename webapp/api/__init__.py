"""The REST API: viewsets and a router, serializers, query parameters, problems, HTTP caching and the OpenAPI schema."""
