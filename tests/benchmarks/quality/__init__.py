"""How good the lists are, held against sample data's true click rates: `make quality`."""
