import numpy as np
import pytest

from habitus.memory.index.products import all_dots, dots, dots_at, group_sums

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(700, 16)).astype(np.float32)


def test_products_are_those_of_linear_algebra() -> None:
    vector = ROWS[3]
    places = RNG.permutation(700)[:600]
    np.testing.assert_allclose(dots(ROWS, vector), ROWS @ vector, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(dots_at(ROWS, places, vector), (ROWS @ vector)[places], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(all_dots(ROWS[:9], ROWS[:5]), ROWS[:9] @ ROWS[:5].T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sizes", [[1, 3, 2, 694], [1, 3, 2, 4]])
def test_sums_of_groups_of_any_size(sizes: list[int]) -> None:
    lengths = np.array(sizes, dtype=np.int64)
    ends = np.cumsum(lengths)
    begins = ends - lengths
    wanted = [ROWS[begin:end].sum(axis=0) for begin, end in zip(begins, ends, strict=True)]
    found = group_sums(ROWS[: ends[-1]], begins, lengths)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
