"""What people decide about the lists that the batch made: which products are not to be shown, and who may decide it."""
