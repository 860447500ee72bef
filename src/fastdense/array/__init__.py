"""The network as matrix products: pure functions over any array library.

Every function takes the library's namespace as its first argument, ``xp`` (the Python array API standard,
https://data-apis.org/array-api), and returns new arrays. This room imports no array library of its own.
"""
