"""C: where browsers, the proxy and jobs reach the hub."""

import os
import secrets
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from kerberos_auth.outcome import Outcome, State
from slurm_ssh_spawner.checks.hub import reached_by_nodes
from slurm_ssh_spawner.doctor import passage, web
from slurm_ssh_spawner.doctor.check import Check
from slurm_ssh_spawner.doctor.examined import Examined
from slurm_ssh_spawner.doctor.listening import Listener, listeners
from slurm_ssh_spawner.doctor.running import running
from slurm_ssh_spawner.hub.configured import Addresses
from slurm_ssh_spawner.sentences import doctor as sentences

_TOKEN = "CONFIGPROXY_AUTH_TOKEN"  # noqa: S105 - its name
_FEW_DAYS, _DAY = 14, 86400
_NOBODY_BEHIND = (502, 503, 504)


def _at(url: str) -> list[Listener]:
    """Return who listens at the port of a URL on this machine."""
    port = urlsplit(url).port
    return [each for each in listeners() if each.port == port]


# -- C1: the proxy ---------------------------------------------------------------------------------------


def _proxy(examined: Examined) -> Iterator[Outcome]:
    named = examined.configured.addresses
    setting, url = ("ConfigurableHTTPProxy", "api_url"), named.proxy_api
    found = running(named.hub_bind_url)
    token = named.token or (found.environ.get(_TOKEN, "") if found else "")
    if named.proxy_is_ours:
        yield Outcome("C1", State.WARN, sentences.PROXY_ENDS, sentences.OWN_PROXY, (setting[0], "should_start"))
        return
    if not token:
        yield Outcome(
            "C1", State.SKIP, sentences.PROXY_NOT_ASKED.format(name=_TOKEN), sentences.WITH_ITS_ENVIRONMENT
        )
        return
    try:
        said = web.get(f"{url}/api/routes", {"Authorization": f"token {token}"})
    except web.NoAnswer as error:
        text = sentences.PROXY_SILENT.format(url=url, reason=error)
        yield Outcome("C1", State.FAIL, text, sentences.START_PROXY, setting)
        return
    if said.status == 403:
        fix = sentences.ONE_ENVIRONMENT.format(name=_TOKEN)
        yield Outcome("C1", State.FAIL, sentences.PROXY_REFUSES.format(url=url), fix, setting)
    elif said.status != 200:
        text = sentences.NO_PROXY.format(url=url, status=said.status)
        yield Outcome("C1", State.FAIL, text, sentences.START_PROXY, setting)
    yield from _who_is_proxy(url, setting)


def _who_is_proxy(url: str, setting: tuple[str, str]) -> Iterator[Outcome]:
    there = _at(url)
    if open_to := [each for each in there if not each.is_local]:
        text = sentences.PROXY_OPEN.format(address=open_to[0].address, port=open_to[0].port)
        yield Outcome("C1", State.WARN, text, sentences.CLOSE_PROXY, setting)
    if any(each.uid == os.geteuid() for each in there):
        yield Outcome("C1", State.WARN, sentences.PROXY_IS_HUB, sentences.ACCOUNT_OF_PROXY, setting)


# -- C2: browsers ----------------------------------------------------------------------------------------


def _public(examined: Examined) -> Iterator[Outcome]:
    named, url = examined.configured.addresses, examined.configured.addresses.public
    setting = ("JupyterHub", "public_url" if named.public_url else "bind_url")
    try:
        said = web.get(f"{url}hub/api")
    except web.NoAnswer as error:
        yield _no_page(url, error, setting)
        return
    if _is_down(named, said):
        yield Outcome("C2", State.SKIP, sentences.NO_HUB_BEHIND.format(url=url), sentences.START_HUB)
        return
    if not _is_hub(said):
        text = sentences.NO_HUB_THERE.format(url=url, status=said.status)
        yield Outcome("C2", State.FAIL, text, sentences.SERVE_HUB, setting)
        return
    yield from passage.looked_at(url)
    if said.certificate_ends:
        yield from _certificate(url, said.certificate_ends, setting)
        yield from _cookies(url, setting)
    elif named.public_url:
        yield Outcome("C2", State.WARN, sentences.NOT_TLS.format(url=url), sentences.USE_TLS, setting)


def _no_page(url: str, error: web.NoAnswer, setting: tuple[str, str]) -> Outcome:
    named = {"url": url, "reason": error}
    if error.is_of_certificate:
        text, fix = sentences.CERTIFICATE_WRONG, sentences.MEND_CERTIFICATE
    else:
        text, fix = sentences.NO_PAGE, sentences.START_SERVER
    return Outcome("C2", State.FAIL, text.format(**named), fix, setting)


def _certificate(url: str, ends: float, setting: tuple[str, str]) -> Iterator[Outcome]:
    if (days := int((ends - time.time()) // _DAY)) < _FEW_DAYS:
        text = sentences.CERTIFICATE_ENDS.format(url=url, days=days)
        yield Outcome("C2", State.WARN, text, sentences.RENEW_CERTIFICATE, setting)


def _cookies(url: str, setting: tuple[str, str]) -> Iterator[Outcome]:
    """Yield whether the hub knows that browsers come by TLS: it marks its cookies then."""
    try:
        said = web.get(f"{url}hub/login")
    except web.NoAnswer:
        return
    cookie = said.headers.get("set-cookie", "")
    if cookie and "secure" not in cookie.lower():
        yield Outcome("C2", State.WARN, sentences.COOKIES_OPEN.format(url=url), sentences.FORWARD_PROTO, setting)


def _is_hub(said: web.Answer) -> bool:
    return said.status == 200 and b'"version"' in said.body


def _is_down(named: Addresses, said: web.Answer) -> bool:
    """Return whether what is in front of the hub answers in its place, because it does not run."""
    return said.status in _NOBODY_BEHIND and not _at(named.hub_bind_url)


# -- C3: jobs --------------------------------------------------------------------------------------------


def _of_jobs(examined: Examined) -> Iterator[Outcome]:
    sites = examined.catalogue.sites
    without = [key for key, site in sites.items() if site.hub_url is None]
    hidden = [*reached_by_nodes(examined.api_url, without)]
    yield from hidden
    named = examined.configured.addresses
    if not (there := _at(named.hub_bind_url)):
        text = sentences.HUB_IS_DOWN.format(port=urlsplit(named.hub_bind_url).port)
        yield Outcome("C3", State.SKIP, text, sentences.START_HUB)
        return
    for key, site in sites.items():
        # The one that is left out is the same for all.
        if site.hub_url is not None or (key in without[:1] and not hidden):
            yield from _from_here(examined, key, site.hub_url or _origin(examined.api_url), there)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _from_here(examined: Examined, key: str, url: str, there: list[Listener]) -> Iterator[Outcome]:
    """Yield whether this machine itself reaches the hub as the nodes of a site are to reach it."""
    place, named = examined.where(("sites", key, "hub_url")), {"url": url, "site": key}
    bound = ("JupyterHub", "hub_bind_url")
    parts = urlsplit(url)
    if all(each.is_local for each in there) and parts.port == there[0].port:
        yield Outcome("C3", State.FAIL, sentences.LISTENS_HERE_ONLY.format(**named), sentences.LISTEN, bound)
        return
    try:
        said = web.get(f"{url}{examined.configured.addresses.base_url}hub/api")
    except web.NoAnswer as error:
        state = State.FAIL if error.is_unknown_name or error.is_refused else State.WARN
        text = sentences.HUB_NOT_REACHED.format(**named, reason=error)
        yield Outcome("C3", state, text, sentences.CORRECT_HUB_URL.format(**named), place=place)
        return
    if not _is_hub(said):
        text = sentences.NO_HUB_THERE.format(**named, status=said.status)
        yield Outcome("C3", State.FAIL, text, sentences.CORRECT_HUB_URL.format(**named), place=place)


# -- C4: a name for each person --------------------------------------------------------------------------


def _subdomains(examined: Examined) -> Iterator[Outcome]:
    named, setting = examined.configured.addresses, ("JupyterHub", "subdomain_host")
    parts = urlsplit(named.subdomain_host)
    name = f"doctor-{secrets.token_hex(4)}.{parts.hostname}"
    try:
        socket.getaddrinfo(name, parts.port or 443)
    except OSError:
        text = sentences.NO_WILDCARD.format(name=f"*.{parts.hostname}")
        yield Outcome("C4", State.FAIL, text, sentences.ADD_WILDCARD.format(name=parts.hostname), setting)
        return
    try:
        said = _by_proxy(named, parts.netloc)
        if _is_down(named, said):
            text = sentences.NO_HUB_BEHIND.format(url=named.subdomain_host)
            yield Outcome("C4", State.SKIP, text, sentences.START_HUB)
            return
        if not _is_hub(said):
            text = sentences.NO_HOST_ROUTING.format(status=said.status)
            yield Outcome("C4", State.FAIL, text, sentences.HOST_ROUTING, setting)
            return
        port = f":{parts.port}" if parts.port else ""
        web.get(f"{parts.scheme}://{name}{port}{named.base_url}hub/api")
    except web.NoAnswer as error:
        if error.is_of_certificate:
            text = sentences.NO_WILDCARD_CERTIFICATE.format(name=f"*.{parts.hostname}", reason=error)
            yield Outcome("C4", State.FAIL, text, sentences.MEND_CERTIFICATE, setting)


def _by_proxy(named: Addresses, host: str) -> web.Answer:
    """Return what the proxy itself says for a host, whatever is in front of it; one with TLS by its name alone."""
    if named.bind_url.startswith("https:"):
        return web.get(f"https://{host}{named.base_url}hub/api")
    return web.get(f"http://{host}{named.base_url}hub/api", connect_to=named.bound)


def _has_subdomains(examined: Examined) -> bool:
    return bool(examined.configured.addresses.subdomain_host)


CHECKS = (
    Check(("C1",), _proxy, applies=lambda examined: bool(examined.configured.addresses.proxy_api)),
    # Before the address itself, which is led in a circle too.
    Check(("C4",), _subdomains, needs=("C1",), applies=_has_subdomains),
    Check(("C2",), _public, needs=("C1", "C4")),
    Check(("C3",), _of_jobs, needs=("D1",)),
)
