"""What transform cannot edit safely; transform itself reports it."""
