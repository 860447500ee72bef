"""Files that models and tables come from and go to, one module a format."""
