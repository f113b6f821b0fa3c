"""API keys: who may read which lists, and how many requests they may make."""
