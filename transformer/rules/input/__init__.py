"""What makes a file unreadable; whatever reads it reports it."""
