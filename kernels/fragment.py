"""Fragment: the only shape in which anything enters a job script."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from kernels.shell import Shell

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Fragment:
    """What one contributor adds to a job: variables, shell before the server, shell after it.

    `environ` holds plain values (the script quotes them); `before` runs in the order the fragments are
    given; `after` runs in the opposite order, however the job ends.  `before` may call

    - `stage NAME "text"`: says in the log and on the progress page what happens from here on (NAME is lower case),
    - `notice "sentence"`: tells the person something, and goes on,
    - `give_up "sentence"`: ends the job; the person is shown the sentence,
    - `attend COMMAND...`: runs what may take long, so that a job that is cancelled ends at once.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    before: Shell = Shell("")  # noqa: RUF009
    after: Shell = Shell("")  # noqa: RUF009
