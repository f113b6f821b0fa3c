"""The API described by itself: OpenAPI 3.1, drawn from what the views already say, and Swagger UI on top of it."""
