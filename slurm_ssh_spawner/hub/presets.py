"""A person's own settings for the options form: listed beside it, saved from it, removed."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jupyterhub.utils import url_escape_path, url_path_join
from tornado import web

from profiles.errors import ChoiceRefused
from profiles.offer import launch
from profiles.offer.choices import FIELDS, Choices
from profiles.offer.offer import Offer
from profiles.sentences import labels as form_labels
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub.home import Page
from slurm_ssh_spawner.hub.shared import Hub, StartRequest
from slurm_ssh_spawner.launch.records import DatabaseAway
from slurm_ssh_spawner.launch.records.presets import LONGEST_NAME, MOST, Preset, named
from slurm_ssh_spawner.sentences import labels

_PLACE = ("profile", "site")
_NAME, _SERVER, _PART = "settings", "server", "part"
_NOT_CHOICES = {"_xsrf", _NAME, _SERVER, _PART}
_LONGEST_TEXT = 160

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShownPreset:
    """A preset as the form lists it: what is in it, and why it cannot be had now, "" if it can."""

    name: str
    text: str
    problem: str


@dataclass(frozen=True)
class PresetsPart:
    """What stands beside a form: the presets of who looks at it, and what became of the last change."""

    presets: tuple[ShownPreset, ...]
    server: str
    said: str = ""
    longest: int = LONGEST_NAME


async def part(hub: Hub, request: StartRequest, said: str = "") -> PresetsPart:
    """Return what stands beside the form of a server of theirs; no presets that only an absent database knows."""
    try:
        kept = await hub.last_read.presets(request.user)
    except DatabaseAway as error:
        _log.warning("the form shows no presets: %s", error)
        kept = ()
    offer = hub.offer(request) if kept else None
    return PresetsPart(tuple(_shown(offer, each) for each in kept if offer), request.server, said)


@dataclass(frozen=True)
class Filled:
    """What a preset fills in, and what the form says of it."""

    choices: Mapping[str, str]
    note: str


async def found(hub: Hub, user: str, typed: str) -> Filled:
    """Return what somebody's preset of a name fills in: nothing if there is none."""
    name = named(typed)
    try:
        kept = {each.name: each for each in await hub.launcher.records.presets.of(user)}
    except DatabaseAway as error:
        return Filled({}, error.message)
    if name not in kept:
        return Filled({}, sentences.NO_SUCH_SETTINGS.format(name=name))
    return Filled(kept[name].choices, sentences.FILLED_BY_SETTINGS.format(name=name))


def _shown(offer: Offer, preset: Preset) -> ShownPreset:
    problem = ""
    try:
        launch.resolve(offer, Choices(preset.choices))
    except ChoiceRefused as error:
        problem = error.said
    return ShownPreset(preset.name, _text(offer, preset), problem)


def _text(offer: Offer, preset: Preset) -> str:
    """Return what is in a preset; of what the person does not see, its key."""
    chosen = preset.choices
    profile, site = chosen.get("profile", ""), chosen.get("site", "")
    seen = offer.menu.entries[profile].name if profile in offer.entries() else profile
    place = offer.menu.sites[site].title if site in offer.sites(profile) else site
    text = labels.PROFILE_ON_SITE.format(profile=seen, site=place) if site else seen
    return ", ".join([text, *_others(preset)])[:_LONGEST_TEXT]


def _others(preset: Preset) -> Iterator[str]:
    for name, value in preset.choices.items():
        if name not in _PLACE:
            label = form_labels.LABELS[name] if name in FIELDS else name.partition(".")[2]
            yield labels.NAME_AND_VALUE.format(name=label, value=value)


class _Presets(Page):
    """What is sent belongs to who sends it: nobody sees or changes those of others, no administrator either."""

    @property
    def name(self) -> str:
        """The name of the preset that is sent."""
        return named(self.get_body_argument(_NAME, ""))

    @web.authenticated
    async def get(self) -> None:
        """Lead to the form: at an address that only forms are sent to, a login or a page loaded again ends."""
        self._to_form("")

    async def answer(self, said: str, status: int = 200) -> None:
        """Show the list as it is now to the script of the form; to who has none, the form."""
        user, server = self.current_user, self.get_body_argument(_SERVER, "")
        if server not in user.orm_spawners:
            server = ""
        if not self.get_body_argument(_PART, ""):
            self._to_form(server)
            return
        told = await part(self.shared, StartRequest.of(user, server), said)
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(self.render_template("form_presets.html", sync=True, told=told, settings_at="?"))

    def _to_form(self, server: str) -> None:
        user = self.current_user.escaped_name
        self.redirect(url_path_join(self.hub.base_url, "spawn", user, url_escape_path(server)))


class SavePreset(_Presets):
    """`POST /hub/presets`: the choices in the form, by name, and `settings`, the name to keep them under."""

    @web.authenticated
    async def post(self) -> None:
        """Keep them.  400 for no name, or what are no choices; 409 for too many; 503 without the database."""
        name, body = self.name, self.request.body_arguments
        try:
            choices = Choices.of({key: self.get_body_argument(key) for key in body if key not in _NOT_CHOICES})
        except ChoiceRefused as error:
            await self.answer(error.message, 400)
            return
        if not name or not choices.values:
            await self.answer(sentences.NAME_SETTINGS, 400)
            return
        try:
            is_kept = await self.shared.launcher.records.presets.save(
                self.current_user.name, Preset(name, choices.values)
            )
        except DatabaseAway as error:
            await self.answer(error.message, 503)
            return
        said = sentences.SETTINGS_SAVED if is_kept else sentences.TOO_MANY_SETTINGS
        await self.answer(said.format(name=name, most=MOST), 200 if is_kept else 409)


class ForgetPreset(_Presets):
    """`POST /hub/presets/forget`: removes the one called `settings`."""

    @web.authenticated
    async def post(self) -> None:
        """Remove it.  503 without the database."""
        try:
            await self.shared.launcher.records.presets.forget(self.current_user.name, self.name)
        except DatabaseAway as error:
            await self.answer(error.message, 503)
            return
        await self.answer(sentences.SETTINGS_REMOVED.format(name=self.name))
