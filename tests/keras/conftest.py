"""Keeps the helpers from being collected: what skips for want of Keras must be a file of tests."""

collect_ignore = ["both.py", "data.py"]
