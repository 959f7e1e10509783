"""One module per page; thin."""
