"""PyTorch: its modules, traces and files of weights."""
