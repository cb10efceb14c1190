from slurm_ssh_spawner import tunnel
from tests.support import builders


async def test_a_direct_tunnel_is_the_address_that_the_site_gives_its_nodes() -> None:
    sites = {"geneva": builders.site(node_address="{node}-ib.geneva.test"), "lugano": builders.site()}
    offer = builders.catalogue(sites=sites).sites
    assert await tunnel.of(offer["geneva"]).open("n1", 8888) == "http://n1-ib.geneva.test:8888"
    assert await tunnel.of(offer["lugano"]).open("n1", 8888) == "http://n1:8888"
