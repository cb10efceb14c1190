import asyncio
import re
import socket
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from lab.plain_http import NO_TLS
from profiles.catalogue.site import Site
from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import Broken, FrontEndRefused, Refused, Unavailable
from slurm_ssh.tunnels import keeper as keeper_module
from slurm_ssh.tunnels import tunnel
from slurm_ssh.tunnels.keeper import TunnelKeeper
from slurm_ssh.tunnels.route import Route
from slurm_ssh.tunnels.tunnel import DirectTunnel, SSHTunnel, Tunnel, parse_ports
from tests.support import builders, ends, loopback, names
from tests.support.ends import Node
from tests.support.names import Names
from tests.support.ports import free_port
from tests.support.sshd import Sshd
from tests.support.waiting import until
from tests.support.wallet import Wallet


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Names:
    return names.known(monkeypatch)


def _at(node: str) -> Route:
    return Route(builders.LAUNCH_ID, ends.ALICE, node, 8888)


def _direct(address: str = "{node}") -> Tunnel:
    return DirectTunnel(builders.catalogue(sites={"geneva": builders.site(node_address=address)}).sites["geneva"])


async def test_a_direct_tunnel_is_the_address_of_the_name_that_the_site_gives_its_nodes(
    known: Names,
) -> None:
    known |= {"n1-ib.geneva.test": ("203.0.113.7",), "n1": ("2001:db8::7", "203.0.113.9"), "n2": ("2001:db8::7",)}
    assert await _direct("{node}-ib.geneva.test").open(_at("n1"), ends.soon()) == ("http://203.0.113.7:8888", 0)
    assert await _direct().open(_at("n1"), ends.soon()) == ("http://203.0.113.9:8888", 0)
    assert await _direct().open(_at("n2"), ends.soon()) == ("http://[2001:db8::7]:8888", 0)


OWN = [each.address for card in psutil.net_if_addrs().values() for each in card if each.family == socket.AF_INET]


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("127.9.8.7",),
        ("::1",),
        ("::ffff:127.0.0.1",),
        ("0.0.0.0",),  # noqa: S104 - nobody listens there
        ("::",),
        ("169.254.169.254",),
        ("fe80::1",),
        ("224.0.0.1",),
        ("203.0.113.7", "127.0.0.1"),
        *((own,) for own in OWN),
    ],
)
async def test_the_hub_connects_neither_to_itself_nor_to_what_only_looks_like_a_node(
    known: Names, addresses: tuple[str, ...]
) -> None:
    known["n1"] = addresses
    with pytest.raises(Broken, match=r"runs on n1\. That name leads to an address that no node can have"):
        await _direct().open(_at("n1"), ends.soon())


@pytest.mark.parametrize("node", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost", "localhost."])
async def test_no_spelling_of_loopback_is_a_node(node: str) -> None:
    with pytest.raises((Broken, Unavailable)):
        await _direct().open(_at(node), ends.soon())


async def test_a_node_whose_name_nobody_knows_cannot_be_reached(known: Names) -> None:
    with pytest.raises(Unavailable, match="The hub does not find the address of n1 at Geneva"):
        await _direct().open(_at("n1"), ends.soon())


def test_the_catalogue_names_the_tunnel(site: Site, keeper: TunnelKeeper) -> None:
    assert isinstance(tunnel.of(site, keeper), SSHTunnel)
    assert isinstance(tunnel.of(builders.catalogue().sites["geneva"], keeper), DirectTunnel)


async def test_an_ssh_tunnel_is_a_port_of_this_machine(
    site: Site, keeper: TunnelKeeper, node: Node, login1: Sshd, ports: list[int]
) -> None:
    url, port = await tunnel.of(site, keeper).open(ends.route_to(node), ends.soon())
    assert (url, port) == (f"http://127.0.0.1:{ports[0]}", ports[0])
    assert keeper.list() == (ends.route_to(node, local_port=ports[0]),)
    assert login1.asked == [("n1-ib.lugano.test", node.port)]


async def test_a_megabyte_passes_in_both_directions(site: Site, keeper: TunnelKeeper, node: Node) -> None:
    port = await keeper.open(ends.route_to(node), site, ends.soon())
    assert await ends.there_and_back(port, ends.MEGABYTE) == ends.MEGABYTE


async def test_clients_at_the_same_time_do_not_mix(
    site: Site, keeper: TunnelKeeper, node: Node, login1: Sshd
) -> None:
    port = await keeper.open(ends.route_to(node), site, ends.soon())
    async with ends.client(port) as (one_reader, one), ends.client(port) as (other_reader, other):
        one.write(b"one")
        other.write(b"other")
        assert await other_reader.readexactly(5) == b"other"
        assert await one_reader.readexactly(3) == b"one"
    await until(lambda: node.clients == 0)
    assert login1.logins == ["alice"]


async def test_a_client_that_goes_away_in_the_middle_does_no_harm(
    site: Site, keeper: TunnelKeeper, node: Node
) -> None:
    port = await keeper.open(ends.route_to(node), site, ends.soon())
    async with ends.client(port) as (_, writer):
        writer.write(ends.MEGABYTE)
        await until(lambda: node.clients == 1)
        writer.transport.abort()
    await until(lambda: node.clients == 0)
    assert await ends.answers(port)


async def test_a_closed_tunnel_lets_nobody_through(site: Site, keeper: TunnelKeeper, node: Node) -> None:
    port = await keeper.open(ends.route_to(node), site, ends.soon())
    async with ends.client(port) as (reader, writer):
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
        keeper.close(builders.LAUNCH_ID)
        assert await reader.read() == b""
    await until(lambda: node.clients == 0)
    with pytest.raises(ConnectionRefusedError):
        await ends.there_and_back(port)
    assert keeper.list() == ()
    keeper.close(builders.LAUNCH_ID)


async def test_one_client_too_many_is_told_so_and_the_next_gets_through(
    site: Site, keeper: TunnelKeeper, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_module, "CLIENTS_AT_ONCE", 2)
    monkeypatch.setattr(keeper_module, "_TOLD_AT_ONCE", 1)
    port = await keeper.open(ends.route_to(node), site, ends.soon())
    async with ends.client(port), ends.client(port):
        await until(lambda: node.clients == 2)
        assert (await ends.said(port)).startswith("Too many connections to this server are open at once (2).")
        # One that says nothing is waited for, and whoever comes then is hung up on.
        async with ends.client(port):
            await until(lambda: len(keeper._open[builders.LAUNCH_ID].clients) == 3)
            assert not await ends.answers(port)
            assert len(keeper._open[builders.LAUNCH_ID].clients) == 3
            assert node.clients == 2
    await ends.until_it_answers(port)


async def test_a_closed_tunnel_leaves_the_others_open(site: Site, keeper: TunnelKeeper, node: Node) -> None:
    await keeper.open(ends.route_to(node), site, ends.soon())
    port = await keeper.open(ends.route_to(node, "ffffffffffff"), site, ends.soon())
    keeper.close(builders.LAUNCH_ID)
    assert await ends.answers(port)


async def test_the_next_client_after_a_dropped_connection_gets_through_on_the_same_port(
    site: Site, keeper: TunnelKeeper, node: Node, login1: Sshd
) -> None:
    port = await keeper.open(ends.route_to(node), site, ends.soon())
    async with ends.client(port) as (reader, writer):
        writer.write(b"x")
        await reader.readexactly(1)
        login1.cut()
        assert await reader.read() == b""
    assert await ends.answers(port)
    assert login1.logins == ["alice", "alice"]


async def test_many_clients_of_a_front_end_that_is_away_count_as_one_attempt(
    site: Site, keeper: TunnelKeeper, node: Node, login1: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_module, "_LONGEST_PAUSE_SECONDS", 600)
    port = await keeper.open(ends.route_to(node), site, ends.soon())
    await login1.stop()
    assert await asyncio.gather(*(ends.answers(port) for _ in range(10))) == [False] * 10
    await login1.start()
    await ends.until_it_answers(port)


async def test_a_front_end_that_forbids_forwarding_is_for_the_admin(
    site: Site, keeper: TunnelKeeper, node: Node, login1: Sshd
) -> None:
    login1.forwards = False
    with pytest.raises(Broken, match="Lugano does not let the hub through to n1") as broken:
        await keeper.open(ends.route_to(node), site, ends.soon())
    assert "TCP forwarding is not allowed there" in broken.value.message
    assert keeper.list() == ()


async def test_who_may_not_log_in_has_no_tunnel(
    site: Site, keeper: TunnelKeeper, node: Node, login1: Sshd
) -> None:
    login1.people.clear()
    with pytest.raises(FrontEndRefused):
        await keeper.open(ends.route_to(node), site, ends.soon())
    assert keeper.list() == ()


async def test_a_server_that_does_not_listen_is_not_a_matter_of_forwarding(
    site: Site, keeper: TunnelKeeper, node: Node
) -> None:
    node.port = free_port()
    with pytest.raises(Unavailable, match="The server on n1 cannot be reached through Lugano"):
        await keeper.open(ends.route_to(node), site, ends.soon())
    assert keeper.list() == ()


async def test_a_node_that_does_not_answer_is_told_by_the_deadline(
    site: Site, keeper: TunnelKeeper, node: Node, login1: Sshd
) -> None:
    login1.dark = True
    with pytest.raises(Unavailable, match="The server on n1 cannot be reached through Lugano"):
        await keeper.open(ends.route_to(node), site, Deadline.after(3))
    assert keeper.list() == ()


async def test_a_client_of_a_node_that_does_not_answer_is_let_go(
    site: Site, keeper: TunnelKeeper, node: Node, login1: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = await keeper.open(ends.route_to(node), site, ends.soon())
    monkeypatch.setattr(keeper_module, "_CLIENT_SECONDS", 0.5)
    login1.dark = True
    assert "Your server on n1 cannot be reached through Lugano since" in await ends.said(port)


async def test_a_tunnel_is_made_again_on_the_port_it_had(
    site: Site, keeper: TunnelKeeper, node: Node, ports: list[int]
) -> None:
    assert await keeper.open(ends.route_to(node, local_port=ports[2]), site, ends.soon()) == ports[2]
    assert await keeper.open(ends.route_to(node, local_port=ports[2]), site, ends.soon()) == ports[2]
    assert await ends.answers(ports[2])
    assert len(keeper.list()) == 1


async def test_a_tunnel_that_is_made_again_without_a_ticket_says_so_until_there_is_one(
    site: Site, keeper: TunnelKeeper, node: Node, ports: list[int], wallet: Wallet
) -> None:
    wallet.store.remove("alice")
    port = await keeper.open(ends.route_to(node, local_port=ports[2]), site, ends.soon())
    assert (await ends.said(port)).startswith("You have no Kerberos ticket here. Log in again.")
    wallet.put("alice")
    async with ends.client(port) as (reader, writer):
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"


async def _restored(keeper: TunnelKeeper, node: Node, site: Site, port: int) -> int:
    """Open the tunnel of a server that was up before."""
    assert await keeper.open(ends.route_to(node, local_port=port), site, ends.soon()) == port
    return port


async def test_a_tunnel_that_is_made_again_while_its_site_is_away_says_so_and_goes_on_when_it_is_back(
    site: Site, keeper: TunnelKeeper, node: Node, ports: list[int], login1: Sshd
) -> None:
    await login1.stop()
    port = await _restored(keeper, node, site, ports[2])
    assert login1.tried == []
    said = await ends.said(port)
    assert re.fullmatch(r"Lugano cannot be reached since \d\d:\d\d \S+\. Your job goes on\.", said)
    assert await ends.said(port) == said
    await login1.start()
    await ends.until_it_answers(port)


async def test_a_silent_site_does_not_hold_up_the_tunnel_of_a_server_that_was_up(
    site: Site, keeper: TunnelKeeper, node: Node, ports: list[int]
) -> None:
    with loopback.silent() as silent:
        away = site.model_copy(update={"front_ends": (site.front_ends[0].model_copy(update={"port": silent}),)})
        port = await keeper.open(ends.route_to(node, local_port=ports[2]), away, Deadline.after(0))
    assert port == ports[2]


async def test_what_is_in_the_way_is_told_apart(
    site: Site, keeper: TunnelKeeper, node: Node, ports: list[int], login1: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_module, "_LONGEST_PAUSE_SECONDS", 0)
    port = await _restored(keeper, node, site, ports[2])
    login1.forwards = False
    assert "Lugano does not let the hub through to n1: TCP forwarding is not allowed" in await ends.said(port)
    login1.forwards, open_port = True, node.port
    keeper.close(builders.LAUNCH_ID)
    node.port = free_port()
    port = await _restored(keeper, node, site, ports[2])
    assert "Your server on n1 cannot be reached through Lugano since" in await ends.said(port)
    node.port = open_port
    port = await _restored(keeper, node, site, ports[2])
    assert await ends.answers(port)
    login1.cut()
    login1.people.clear()
    assert (await ends.said(port)).startswith("Lugano did not let you in with your ticket.")


async def test_a_browser_gets_a_page_that_asks_again_and_a_websocket_a_refusal(
    site: Site, keeper: TunnelKeeper, node: Node, ports: list[int], login1: Sshd
) -> None:
    await login1.stop()
    port = await _restored(keeper, node, site, ports[2])
    page = await ends.asked(port, "/user/alice/lab", accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert re.search(r'since <time datetime="[^"]+">\d\d:\d\d \S+</time>\. Your job goes on\.', page.text)
    assert f"Its job is the one at Lugano on n1 whose name ends in {builders.LAUNCH_ID}." in page.text
    assert page.headers["refresh"] == "20"
    upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-key": "x", "accept": "*/*"}
    assert "Lugano" in (await ends.asked(port, "/user/alice/api/kernels/1/channels", **upgrade)).json()["message"]
    async with httpx.AsyncClient(verify=NO_TLS, base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        # More than is read for an answer, and an answer without a body.
        sent = await client.post("/user/alice/api/contents", content=ends.MEGABYTE)
        assert "Lugano" in sent.json()["message"]
        assert (await client.head("/user/alice/api")).status_code == 424


async def test_a_client_of_a_lost_connection_learns_that_the_site_is_away_and_not_the_node(
    site: Site, keeper: TunnelKeeper, node: Node, login1: Sshd
) -> None:
    port = await keeper.open(ends.route_to(node), site, ends.soon())
    login1.dark = True
    asking = asyncio.create_task(ends.said(port))
    await until(lambda: len(login1.asked) == 2)
    await login1.stop()
    assert "Lugano cannot be reached since" in await asking


async def test_a_tunnel_that_is_opened_again_to_the_same_server_is_not_interrupted(
    site: Site, keeper: TunnelKeeper, node: Node
) -> None:
    port = await keeper.open(ends.route_to(node), site, ends.soon())
    async with ends.client(port) as (reader, writer):
        assert await keeper.open(ends.route_to(node, local_port=port), site, ends.soon()) == port
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
    assert await keeper.open(replace(ends.route_to(node, local_port=port), node="n2"), site, ends.soon()) == port
    assert [route.node for route in keeper.list()] == ["n2"]


async def test_a_new_tunnel_is_not_made_without_a_ticket(
    site: Site, keeper: TunnelKeeper, node: Node, wallet: Wallet
) -> None:
    wallet.store.remove("alice")
    with pytest.raises(Refused, match="Log in again"):
        await keeper.open(ends.route_to(node), site, ends.soon())
    assert keeper.list() == ()


async def test_a_port_that_is_taken_is_passed_over(
    site: Site, keeper: TunnelKeeper, node: Node, ports: list[int]
) -> None:
    with socket.create_server(("127.0.0.1", ports[0])), socket.create_server(("127.0.0.1", ports[2])):
        assert await keeper.open(ends.route_to(node), site, ends.soon()) == ports[1]
        assert await keeper.open(ends.route_to(node, "ffffffffffff", ports[2]), site, ends.soon()) == ports[3]
    assert await ends.answers(ports[1])
    assert await ends.answers(ports[3])


async def test_without_a_free_port_there_is_no_tunnel(
    site: Site, keeper: TunnelKeeper, node: Node, ports: list[int]
) -> None:
    for number in range(len(ports)):
        await keeper.open(ends.route_to(node, f"{number:012}"), site, ends.soon())
    with pytest.raises(Unavailable, match="All ports for tunnels are in use"):
        await keeper.open(ends.route_to(node), site, ends.soon())
    assert len(keeper.list()) == len(ports)


@pytest.fixture
def ephemeral(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine uses 32768 to 60999 for outgoing connections."""
    path = tmp_path / "ip_local_port_range"
    path.write_text("32768\t60999\n")
    monkeypatch.setattr(tunnel, "_EPHEMERAL", path)


@pytest.mark.usefixtures("ephemeral")
@pytest.mark.parametrize("text", ["20000-24999", "1024-1024", "32767-32767", "61000-65535", "1024-32767"])
def test_a_range_of_ports_is_read_with_both_its_ends(text: str) -> None:
    read = parse_ports(text)
    assert f"{read[0]}-{read[-1]}" == text


@pytest.mark.usefixtures("ephemeral")
@pytest.mark.parametrize(
    "text",
    ["", "20000", "20000-", "-24999", "24999-20000", "1023-2000", "61000-65536", "a-b", " 1-2", "1-2-3", "²-³"],
)
def test_what_is_no_range_of_ports_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a range of ports; write 20000-24999"):
        parse_ports(text)


@pytest.mark.usefixtures("ephemeral")
@pytest.mark.parametrize("text", ["20000-32768", "60999-61000", "40000-40001", "1024-65535", "32768-60999"])
def test_ports_of_outgoing_connections_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="overlap 32768-60999, which this machine uses for outgoing connections"):
        parse_ports(text)
