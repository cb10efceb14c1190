"""Conditions over the parameters of datasets, such as `channels > 1 && kind == 'scan'`: read by lark, no eval.

What is compared with something of another kind, and a name that a dataset does not have, is neither true nor
false: a condition holds only if it is true whatever that may be.
"""

from profiles.conditions.asking import Condition, Together, Value, Values
from profiles.conditions.parsing import DEEPEST, LONGEST, ConditionWrong, parse

__all__ = ["DEEPEST", "LONGEST", "Condition", "ConditionWrong", "Together", "Value", "Values", "parse"]
