"""The ranking models, one module each, their registry, and the windows they rank over."""
