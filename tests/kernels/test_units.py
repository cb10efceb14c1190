import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import units

_KINDS = (units.minutes, units.mebibytes, units.count)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("8h", 480),
        ("90m", 90),
        ("90min", 90),
        ("1h30m", 90),
        ("2d", 2880),
        ("1d12h", 2160),
        (" 8H ", 480),
        ("45", 45),
        (45, 45),
        ("08:00:00", 480),
        ("8:00", 480),
        ("00:00:30", 1),
        ("1-00:00:00", 1440),
        ("2-12:30", 3630),
        ("1-00", 1440),
        ("1.5h", 90),
        ("0.1h", 6),
        ("1.01h", 61),
        ("8 hours", 480),
        ("1 h", 60),
        ("90 min", 90),
        ("1h 30m", 90),
        ("1 hour 30 minutes", 90),
        ("2 days", 2880),
        ("1 Hr", 60),
    ],
)
def test_times_that_people_and_slurm_write(written: str | int, meant: int) -> None:
    assert units.minutes(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("64G", 65536),
        ("900M", 900),
        ("2GB", 2048),
        ("2 GiB", 2048),
        ("1t", 1024**2),
        ("1.5 TB", 1536 * 1024),
        ("512", 512),
        (512, 512),
        ("1.5G", 1536),
        ("0.1 GB", 102),
    ],
)
def test_amounts_of_memory(written: str | int, meant: int) -> None:
    assert units.mebibytes(written) == meant


@pytest.mark.parametrize(("written", "meant"), [("0", 0), (" 12 ", 12), ("008", 8), (3, 3)])
def test_whole_numbers(written: str | int, meant: int) -> None:
    assert units.count(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "",
        "-1",
        "1.5",
        "1.h",
        ".5h",
        "1,5h",
        "8 horses",
        "8hours4",
        "8h-",
        "1-",
        "h",
        "1:60",
        "1:00:60",
        "UNLIMITED",
        "٣h",
        "9" * 30,
    ],
)
def test_what_is_not_a_time_is_refused_with_what_would_be(written: str) -> None:
    with pytest.raises(ValueError, match="write 90m, 8h, 1h30m, 2d or 08:00:00"):
        units.minutes(written)


@pytest.mark.parametrize(
    "written", ["", "-1G", "1.5", "1.G", "0K", "1K", "G", "1PB", "1GG", "٣G", "9" * 10, "4G\nx"]
)
def test_what_is_not_an_amount_of_memory_is_refused_with_what_would_be(written: str) -> None:
    with pytest.raises(ValueError, match="write 900M or 64G"):
        units.mebibytes(written)


@pytest.mark.parametrize("written", ["0", "0h", "00:00:00", "0.0h"])
def test_no_time_at_all_is_told_as_such(written: str) -> None:
    with pytest.raises(ValueError, match="is no time at all; write at least 1m"):
        units.minutes(written)


@pytest.mark.parametrize("written", ["0", "0G", "0.0001M"])
def test_no_memory_at_all_is_told_as_such(written: str) -> None:
    with pytest.raises(ValueError, match="is no memory at all; write at least 1M"):
        units.mebibytes(written)


@pytest.mark.parametrize("written", ["", "-", "--1", "1.5", "1e3", "0x10", "٣", "one", True, None])
def test_what_is_not_a_whole_number_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is not a whole number"):
        units.count(written)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("-1", "^'-1' is less than 0; write digits alone, such as 4$"),
        (-40, "^'-40' is less than 0"),
        ("1234567", "^'1234567' is too large; write 999999 at most$"),
        ("9" * 100, f"^'{'9' * 24}' is too large"),
    ],
)
def test_a_whole_number_that_cannot_be_is_told_as_what_it_is(written: str | int, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        units.count(written)


@pytest.mark.parametrize("read", _KINDS)
def test_a_refusal_repeats_only_the_beginning_of_what_was_written(read: object) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        read("x" * 10_000)  # type: ignore[operator]
    assert len(str(refused.value)) < 100


@given(st.text())
def test_any_text_is_a_number_or_refused(written: str) -> None:
    for read in _KINDS:
        try:
            assert read(written) >= 0
        except ValueError:
            continue


@given(st.integers(1, 10**6))
def test_a_time_that_is_said_is_read_as_the_same_time(total: int) -> None:
    assert units.minutes(units.say_minutes(total)) == total


@given(st.integers(1, 10**8))
def test_an_amount_that_is_said_is_read_as_the_same_amount(total: int) -> None:
    assert units.mebibytes(units.say_mebibytes(total)) == total


def test_amounts_are_said_in_the_unit_a_person_would_use() -> None:
    assert [units.say_minutes(each) for each in (0, 45, 60, 90, 2880)] == ["0m", "45m", "1h", "1h30m", "2d"]
    assert [units.say_mebibytes(each) for each in (900, 65536)] == ["900M", "64G"]
