"""Answers on a terminal reach programs that ask there, and wait for the question."""

import sys

from tests.support.typed import typed

_ASKS = """
import getpass, sys, time
print(sys.stdin.isatty())
first = getpass.getpass("Password for alice@A: ")
second = input("Sure? ")
print(first + second)
sys.exit(3)
"""


def test_each_question_has_its_answer_and_a_password_is_not_shown() -> None:
    answers = [("Password for alice@", "secret"), ("Sure?", "yes")]
    code, said = typed([sys.executable, "-c", _ASKS], answers)
    assert code == 3
    assert said == "True\nPassword for alice@A: \nSure? yes\nsecretyes\n"


def test_a_program_that_asks_nothing_ends_too() -> None:
    assert typed(["sh", "-c", "echo here"], [("Password", "unused")]) == (0, "here\n")
