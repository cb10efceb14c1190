"""What may be asked of a spawner: its form, and the gate that every start passes."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from batchspawner import BatchSpawnerBase
from traitlets import default

from profiles.offer import launch
from slurm_ssh.errors import Refused
from slurm_ssh.job import LaunchId
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub import going_on
from slurm_ssh_spawner.hub.failures import LaunchFailed, as_launch_failure, nothing_started
from slurm_ssh_spawner.hub.shared import StartRequest
from slurm_ssh_spawner.hub.shell_less import ShellLess
from slurm_ssh_spawner.hub.storing import commit
from slurm_ssh_spawner.launch.patience import start_seconds
from slurm_ssh_spawner.launch.records import LaunchRecord


class Asking(ShellLess, BatchSpawnerBase):  # type: ignore[misc]
    """JupyterHub's hooks for forms and options.

    What the gate lets through is `_launch`, or `_going_on` for a launch of an earlier hub; `_before` are the last
    choices before these.
    """

    _launch: launch.NotebookLaunch | None
    _going_on: LaunchRecord | None
    _before: dict[str, str]
    last_launch_id: LaunchId | None
    profile_key: str

    @default("options_form")
    def _default_options_form(self) -> Callable[[Any], Awaitable[str]]:
        return lambda _spawner: self._hub.render_form(self._request(), self.hub.base_url)

    @default("options_from_form")
    def _default_options_from_form(self) -> Callable[[Mapping[str, Any]], dict[str, str]]:
        def choices(sent: Mapping[str, Any]) -> dict[str, str]:
            with as_launch_failure(log=self._not_started):
                return self._hub.read_form(self._request(), sent)

        return choices

    def options_from_query(self, _query_data: Any) -> dict[str, str]:
        """Refuse: JupyterHub starts a server at once for a link with any query."""
        raise LaunchFailed(Refused(sentences.START_BY_LINK))

    @default("apply_user_options")
    def _default_apply_user_options(self) -> Callable[[Any, Mapping[str, Any]], Awaitable[None]]:
        async def resolve(_spawner: Any, options: Mapping[str, Any]) -> None:
            self.last_launch_id = None
            with as_launch_failure(sentences.TRY_AGAIN, self._not_started), nothing_started():
                try:
                    self._going_on = await going_on.find(self._hub.launcher, self.user.name, self.name, options)
                    if self._going_on:
                        self._take_up(self._going_on)
                    else:
                        self._before = await self._hub.accept(self._request, options, self._take)
                except BaseException:
                    self._launch, self.profile_key = None, ""
                    raise
                finally:
                    # JupyterHub has stored the options as "last" already, also those that are refused.
                    self._adopt(await self._hub.last_accepted(self._request()))

        return resolve

    def _adopt(self, choices: dict[str, str]) -> None:
        """Have JupyterHub store these choices as the last ones."""
        self.user_options = choices
        if self.orm_spawner.user_options != choices:
            self.orm_spawner.user_options = choices
            commit(self.orm_spawner)

    def _request(self) -> StartRequest:
        """Return what the gate needs to know of this server."""
        return StartRequest.of(self.user, self.name)

    def _take(self, accepted: launch.NotebookLaunch) -> None:
        """Begin to be a server of that launch's profile."""
        self._launch, self.profile_key = accepted, accepted.profile_key
        self.start_timeout = start_seconds(accepted)

    def _take_up(self, record: LaunchRecord) -> None:
        """Begin to be the server of a launch that an earlier hub began: it has passed the gate."""
        self.profile_key, self.start_timeout = record.profile_key, going_on.WAIT_SECONDS

    def _not_started(self, why: str) -> None:
        """Say in the log why a start came to nothing, where the core does not."""
        self.log.warning("%s, %s: not started: %s", self._job.mark if self._job else "no job", self._log_name, why)
