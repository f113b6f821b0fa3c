"""What those who run the service look at: figures for Prometheus, and queries that took too long."""
