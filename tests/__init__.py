import pytest

# modules that assert and are no test modules: pytest shows what the two sides of a failed assertion were
pytest.register_assert_rewrite("tests.breaches", "tests.rows")
