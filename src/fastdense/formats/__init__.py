"""The files and modules of other software, as functions: one module per format."""
