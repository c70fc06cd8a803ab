"""Drives engagements through their lives over HTTP: the guide's example, one of every kind, the checklist."""
