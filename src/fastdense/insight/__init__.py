"""Seeing what runs: the ladder from loops to hardware speed, and its pictures."""
