"""What the binder decides, and nothing that it does: values in, values out, no clock of its own."""
