"""Asking the vendors beside their webhooks: what was lost becomes the delivery it would have been."""
