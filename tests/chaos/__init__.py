"""Engagements of every kind while processes die, Postgres stops and the vendors fail; then the books."""
