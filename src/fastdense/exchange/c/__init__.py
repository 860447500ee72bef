"""C: the templates of its files."""
