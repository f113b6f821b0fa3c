"""The front page and the error pages."""
