# Comet's threads allocate outside the heap, and malloc keeps memory for up to eight arenas a core. With two, a run takes 0.85 of the
# memory and the same time.
MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX:-2}
