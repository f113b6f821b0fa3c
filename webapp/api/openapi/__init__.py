"""The OpenAPI 3.1 schema, derived from what the viewsets declare, and Swagger UI."""
