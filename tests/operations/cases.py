"""Every operation in every form, as name → a function that draws the operation, its inputs and what the laws ask."""

from __future__ import annotations

from tests.operations.combining_cases import COMBINED
from tests.operations.loss_cases import LOSS_CASES
from tests.operations.random_inputs import Cases
from tests.operations.simple_cases import SIMPLE

CASES: Cases = SIMPLE | LOSS_CASES | COMBINED
