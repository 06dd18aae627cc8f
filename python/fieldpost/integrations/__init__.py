"""fieldpost inside other programs; each module imports its host, and nothing else does."""
