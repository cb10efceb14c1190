from pathlib import Path
from typing import Any

import pytest

from kernels.fragment import Fragment
from profiles.catalogue.ticket import TicketCommand
from slurm_ssh import delivery
from slurm_ssh.delivery import CommandDelivery
from slurm_ssh.delivery.protocol import put
from slurm_ssh.errors import Broken, Refused
from tests.support import builders
from tests.support.local import LocalSite

ID = builders.LAUNCH_ID
TICKET = b"\x05\x04" + bytes(range(256))


@pytest.fixture
def site(tmp_path: Path) -> LocalSite:
    return LocalSite(tmp_path)


def _sh(text: str, *words: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", text, "push", *words)


def _command(**settings: Any) -> CommandDelivery:
    return CommandDelivery("Geneva", TicketCommand(**{"push": ("/bin/true",), **settings}))


async def _place(site: LocalSite, place: CommandDelivery, ticket: bytes = TICKET) -> Fragment:
    """Do what a submission does, in an exchange of its own; return what the job gets."""
    delivered = await place.place(site.run, "alice", ID, ticket)
    assert delivered.placing
    await put(site.run, delivered.placing)
    return delivered.fragment


async def test_the_program_gets_the_ticket_and_whose_and_which_job_it_is_for(
    site: LocalSite, tmp_path: Path
) -> None:
    words = ("{owner}", "{launch_id}", "it's $HOME {owner}/{launch_id}")
    place = _command(push=_sh(f'cd {tmp_path}; cat > ticket; printf "%s\\n" "$@" > words', *words))
    assert await _place(site, place) == Fragment()
    assert (tmp_path / "ticket").read_bytes() == TICKET
    assert (tmp_path / "words").read_text().splitlines() == ["alice", ID, f"it's $HOME alice/{ID}"]


async def test_the_program_may_use_the_delegated_ticket_instead(site: LocalSite, tmp_path: Path) -> None:
    site.delegated = tmp_path / "delegated"
    await _place(site, _command(push=_sh(f"printenv KRB5CCNAME > {tmp_path}/said")))
    assert (tmp_path / "said").read_text() == f"FILE:{tmp_path}/delegated\n"


async def test_the_program_is_run_again_for_a_renewed_ticket(site: LocalSite, tmp_path: Path) -> None:
    place = _command(push=_sh(f"cat > {tmp_path}/$1", "{launch_id}"))
    await _place(site, place, b"old")
    assert await place.renew(site.run, "alice", ID, TICKET) == ""
    assert (tmp_path / ID).read_bytes() == TICKET


async def test_the_job_is_told_where_its_ticket_is_if_the_catalogue_says_so(site: LocalSite) -> None:
    place = _command(ccache="FILE:/scratch/{owner}/{launch_id}")
    fragment = await _place(site, place)
    assert fragment.environ == {"KRB5CCNAME": f"FILE:/scratch/alice/{ID}"}


async def test_the_last_line_of_a_program_that_fails_is_the_reason(site: LocalSite) -> None:
    place = _command(push=_sh("echo first >&2; echo 'Your quota of tickets is used up.' >&2; echo >&2; exit 3"))
    for act in (_place(site, place), place.renew(site.run, "alice", ID, TICKET)):
        with pytest.raises(Refused) as refused:
            await act
        said = "Your ticket could not be passed on at Geneva: Your quota of tickets is used up."
        assert refused.value.message == said


async def test_a_program_that_says_why_on_its_stdout_alone(site: LocalSite) -> None:
    with pytest.raises(Refused, match=r"at Geneva: No\.$"):
        await _place(site, _command(push=_sh("echo No.; exit 3")))


async def test_a_program_that_fails_without_a_word(site: LocalSite) -> None:
    with pytest.raises(Refused, match=r"at Geneva: exit status 3\."):
        await _place(site, _command(push=_sh("exit 3")))


async def test_a_program_that_is_missing_is_for_the_admin(site: LocalSite) -> None:
    with pytest.raises(Broken, match="The program /opt/push, which passes your ticket on, cannot be run"):
        await _place(site, _command(push=("/opt/push",)))


async def test_a_job_that_is_over_is_told_to_the_program(site: LocalSite, tmp_path: Path) -> None:
    place = _command(release=_sh(f'printf "%s\\n" "$@" > {tmp_path}/words', "{owner}", "{launch_id}"))
    await place.release(site.run, "alice", ID)
    assert (tmp_path / "words").read_text().splitlines() == ["alice", ID]


async def test_a_release_that_fails_is_for_the_admin(site: LocalSite) -> None:
    with pytest.raises(Broken) as broken:
        await _command(release=_sh("echo 'not there' >&2; exit 1")).release(site.run, "alice", ID)
    assert broken.value.detail == "not there"


async def test_without_a_program_for_it_nothing_is_run_at_the_end(site: LocalSite) -> None:
    site.mishaps = ["before"]
    await _command().release(site.run, "alice", ID)
    assert site.mishaps == ["before"]


def test_the_catalogue_names_the_delivery() -> None:
    entry = builders.site(ticket={"delivery": "command", "command": {"push": ["/opt/push", "{owner}"]}})
    assert isinstance(delivery.of(builders.catalogue(sites={"geneva": entry}).sites["geneva"]), CommandDelivery)
