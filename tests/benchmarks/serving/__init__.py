"""`make bench-serving`: measure the web app and the API that it replaces, with the same tables and cores."""
