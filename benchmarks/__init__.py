"""``make bench``: tke-direct against the tools that people use for the same edits today."""
