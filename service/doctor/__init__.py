"""What `coverd doctor` looks at: each check is one sentence and, where something is wrong, how to mend it."""
