import pytest

from slurm_ssh_spawner.launch.starting import ticking, took


@pytest.mark.parametrize(
    ("seconds", "long", "already"),
    [(0.26, "0.3 s", "0:00"), (14.2, "14 s", "0:14"), (724, "12:04", "12:04"), (3724.9, "1:02:04", "1:02:04")],
)
def test_how_long_a_step_took_and_lasts(seconds: float, long: str, already: str) -> None:
    assert (took(seconds), ticking(seconds)) == (long, already)
