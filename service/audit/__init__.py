"""What an auditor takes away: the log as lines of JSON with their hashes, and the check of them offline."""
