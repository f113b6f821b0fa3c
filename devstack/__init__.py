"""The set-up, and the local PostgreSQL and S3 for `make demo` and the tests. Not used in production."""
