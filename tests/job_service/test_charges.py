from dataclasses import replace
from datetime import timedelta

import pytest

from job_service import charges
from job_service.charges import ChargeUnit
from tests.support.builders import NOW
from tests.support.records import record

_JOB = record(project="neuro", nodes=3, cores=4, limit_s=100, held_s=300)


@pytest.mark.parametrize(("unit", "held"), [("wall", 100), ("node", 300), ("core", 1200)])
def test_a_job_holds_its_limit_for_each_of_what_counts(unit: ChargeUnit, held: int) -> None:
    assert charges.hold(unit, 100, nodes=3, cores=4) == held


def test_the_charge_is_what_was_used_and_never_more_than_was_held() -> None:
    assert charges.charge(replace(_JOB, elapsed_s=40)) == 120
    assert charges.charge(replace(_JOB, elapsed_s=0)) == 0
    assert charges.charge(replace(_JOB, elapsed_s=101)) == 300
    assert charges.charge(replace(_JOB, elapsed_s=40, held_s=0)) == 0


def test_if_nobody_knows_how_long_it_ran_it_is_until_it_was_last_seen() -> None:
    seen = replace(_JOB, started=NOW, observed=NOW + timedelta(seconds=25.9))
    assert charges.charge(seen) == 75
    assert charges.charge(replace(seen, observed=NOW - timedelta(seconds=3))) == 0
    assert charges.charge(replace(seen, observed=None)) == 0
    assert charges.charge(replace(seen, started=None)) == 0
