"""The local PostgreSQL and S3 that `make demo` and the tests start, and stop. Never used in production."""
