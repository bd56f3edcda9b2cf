"""Shares of a sample, with Wilson's score interval (Wilson 1927), 95 %."""


def wilson(rows: int, of: int) -> tuple[float, float]:
    """The ends of the interval for the share `rows` / `of`; 0 and 1 if there are none.

    >>> [round(end, 3) for end in wilson(5, 100)]
    [0.022, 0.112]
    """
    from scipy.stats import binomtest  # slow to import

    if not of:
        return 0.0, 1.0
    ends = binomtest(rows, of).proportion_ci(method="wilson")
    return float(ends.low), float(ends.high)
