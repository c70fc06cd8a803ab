"""What a configuration would hold, found before traffic finds it."""
