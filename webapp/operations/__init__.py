"""What operators need: health, metrics, slow queries, freshness, rollbacks, pruning and the database roles."""
