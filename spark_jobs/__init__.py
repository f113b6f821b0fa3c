"""The batch: raw events in S3 become each advertiser's ranked lists in PostgreSQL. Never imports Django."""

__version__ = "0.1.0"
