"""The tables that the nightly job fills, and the queries that read them. Nothing here depends on another app."""
