"""`make quality`: compare the lists with the true click rates of sample data."""
