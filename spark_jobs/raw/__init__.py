"""Raw events: find the input files, read their lines or rows, validate them, and reject the bad ones."""
