"""The parts of `benchmarks/tables.py`: the tables, those who learn them, and what is made of their scores."""
