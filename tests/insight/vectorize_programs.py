"""Random loops over the arrays of the cases, as source."""

from __future__ import annotations

import random

from tests.insight.vectorize_cases import DATA

__all__ = ["Programs"]

SIZES = {"i": "len(t)", "j": "len(b)", "k": "len(x)"}
ELEMENTS = {
    "t[i]": "i", "p[i]": "i", "P[i, y[i]]": "i", "b[j]": "j", "B[0, j]": "j", "x[k]": "k", "w[k]": "k",
    "X[i, k]": "ik", "X[i][k]": "ik", "W[k, j]": "kj", "Z[i, j]": "ij", "T[i][j]": "ij", "V[j, k]": "jk",
    "2.5": "",
}  # fmt: skip


class Programs:
    """Random loops that compute something of the arrays of `DATA`, as source."""

    def __init__(self, seed):
        self.random, self.named = random.Random(seed), []

    def term(self, loops, depth):
        """Return an expression of elements that these loops' variables lead to."""
        if depth == 0 or self.random.random() < 0.25:
            return self.random.choice(
                [e for e, own in ELEMENTS.items() if set(own) <= set(loops)] + self.named
            )
        a, b, c = (self.term(loops, depth - 1) for _ in range(3))
        shapes = [
            f"({a} + {b})",
            f"({a} - {b})",
            f"({a} * {b})",
            f"({a} * {c})",
            f"np.tanh({a})",
            f"abs({a})",
        ]
        return self.random.choice([*shapes, f"max({a}, {b})", f"({a} if {b} > {c} else {b})"])

    def steps(self, loops):
        """Yield assignments of names on the way."""
        yield f"a = {self.term(loops, 2)}"
        self.named = ["a"]
        for form in ("c = a", "a = {} + a", "a, c = {}, a - {}", "a *= {}"):
            if self.random.random() < 0.3:
                yield form.format(self.term(loops, 1), self.term(loops, 1))
                self.named = sorted({*self.named, *("c" if "c" in form else "a")})

    def inner(self, loops, k):
        """Yield a loop that sums over one more variable."""
        product = f"{self.term([*loops, k], 0)} * {self.term([*loops, k], 0)}"
        yield f"s = {self.random.choice(['0', self.term(loops, 1)])}"
        yield f"for {k} in range({SIZES[k]}):"
        added = self.random.choice([product, self.term([*loops, k], 1)])
        yield f"    s {self.random.choice(['+=', '-='])} {added}"
        self.named = [*self.named, "s"]

    def program(self):
        """Return a function's source."""
        loops = self.random.sample("ijk", self.random.choice([1, 2, 2, 3]))
        k = loops.pop() if len(loops) > 1 and self.random.random() < 0.5 else None
        places = self.random.sample(loops, len(loops))
        body = [*self.steps(loops)] if self.random.random() < 0.6 else []
        body += [*self.inner(loops, k)] if k else []
        value = self.term(loops, 2) + (" + s" if k else "")
        kind = self.random.choice(
            ["store", "store", "add", "append" if len(loops) == 1 else "store", "total"]
        )
        sizes = ", ".join(SIZES[place] for place in places)
        first = {"append": "out = []", "total": "out = 0"}.get(kind, f"out = np.zeros(({sizes},))")
        last = {"append": f"out.append({value})", "total": f"out += {value}"}
        body.append(last.get(kind, f"out[{', '.join(places)}] {'+=' if kind == 'add' else '='} {value}"))
        heads = [f"{'    ' * i}for {v} in range({SIZES[v]}):" for i, v in enumerate(loops)]
        lines = [first, *heads, *("    " * len(loops) + line for line in body), "return out"]
        return "\n".join([f"def f({', '.join(DATA)}):", *("    " + line for line in lines), ""])
