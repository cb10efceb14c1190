import pytest

from profiles.errors import ChoiceRefused
from slurm_ssh.errors import (
    Broken,
    FrontEndRefused,
    JobEnded,
    LaunchError,
    Refused,
    SiteUnreachable,
    SubmitRefused,
    Unavailable,
)
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub.failures import LaunchFailed, as_launch_failure


def _told(error: Exception) -> LaunchFailed:
    with pytest.raises(LaunchFailed) as told, as_launch_failure():
        raise error
    assert told.value.__cause__ is error
    return told.value


@pytest.mark.parametrize(
    ("family", "status", "reason"),
    [
        (Refused, 400, "refused"),
        (SubmitRefused, 400, "refused"),
        (JobEnded, 400, "refused"),
        (FrontEndRefused, 400, "refused"),
        (Unavailable, 503, "unavailable"),
        (SiteUnreachable, 503, "unavailable"),
        (Broken, 500, "broken"),
    ],
)
def test_each_family_has_a_status(family: type[LaunchError], status: int, reason: str) -> None:
    told = _told(family("It did not work."))
    assert (told.status_code, told.reason) == (status, reason)
    assert told.jupyterhub_message == told.jupyterhub_html_message == "It did not work."


def test_a_refused_choice_is_the_persons_to_fix() -> None:
    told = _told(ChoiceRefused("time", "Choose 1m to 8h."))
    assert (told.status_code, told.jupyterhub_message) == (400, "Choose 1m to 8h.")


def test_a_message_is_text_and_not_markup() -> None:
    told = _told(Refused('Home of <b>"alice"</b> & co'))
    assert told.jupyterhub_message == 'Home of <b>"alice"</b> & co'
    assert told.jupyterhub_html_message == "Home of &lt;b&gt;&quot;alice&quot;&lt;/b&gt; &amp; co"


def test_quoted_lines_are_shown_as_they_are() -> None:
    told = _told(JobEnded("These are its last lines:", quoted="line 1\n  <script>alert(1)</script>\n</pre>"))
    assert told.jupyterhub_message == "These are its last lines:\nline 1\n  <script>alert(1)</script>\n</pre>"
    assert told.jupyterhub_html_message == (
        "These are its last lines:<pre>line 1\n  &lt;script&gt;alert(1)&lt;/script&gt;\n&lt;/pre&gt;</pre>"
    )


def test_details_are_for_the_log_only() -> None:
    told = _told(Broken("Please tell the administrators.", "secret path /x"))
    assert "secret path" in str(told.log_message)
    assert "secret path" not in told.jupyterhub_message + told.jupyterhub_html_message


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SiteUnreachable("Geneva cannot be reached."), "Geneva cannot be reached. Try again in a few minutes."),
        (Refused("You have no ticket."), "You have no ticket."),
        (Broken("This is a bug."), "This is a bug."),
    ],
)
def test_who_starts_a_server_may_try_again_what_does_not_answer(error: LaunchError, said: str) -> None:
    with pytest.raises(LaunchFailed) as told, as_launch_failure(sentences.TRY_AGAIN):
        raise error
    assert told.value.jupyterhub_message == told.value.jupyterhub_html_message == said
    assert told.value.log_message == str(error)


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(KeyError), as_launch_failure():
        raise KeyError("bug")
