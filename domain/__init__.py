"""The rules of coverd as values and functions: no IO, no clock, no randomness."""
