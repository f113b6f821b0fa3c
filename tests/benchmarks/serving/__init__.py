"""`make bench-serving`: the web app under load, beside the API that it replaces, on one table and the same cores."""
