"""Reading published lists: recommendations, history, batches, snapshots, explanations and statistics."""
