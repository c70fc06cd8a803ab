"""How coverd lives with vendors that limit it, fail, refuse its credentials, or are to be left alone."""
