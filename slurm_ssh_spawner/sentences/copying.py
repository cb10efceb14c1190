"""What the page of a link to a notebook says, and why a notebook was not copied.

`{what}` is the notebook as its link names it, `{detail}` what a program said of it, `{name}` a server's title.
"""

from languages import sentence as _
from languages import speaks

# -- what a link may name --------------------------------------------------------------------------------
OFF = _("This hub does not copy notebooks from links.")
NAMES_NOTHING = _("This link does not say which notebook to copy. Ask whoever gave it to you for another one.")
NAMES_NO_FILE = _(
    "This link names a repository, but no notebook in it. Ask whoever gave it to you for one that says which."
)
NO_SOURCE = _(
    "{what} is neither the path of a file on a cluster nor the plain address of a website. "
    "Ask whoever gave you this link for another one."
)
NO_NOTEBOOK_NAME = _("{what} is not the path of a notebook, which ends with .ipynb.")
NO_REF = _("{what} cannot be the name of a branch, a tag or a commit.")
NOT_ALLOWED = _(
    "Notebooks may not be copied from {what}. Ask the administrators of the hub to allow it, or copy it yourself."
)

# -- the page of a link ----------------------------------------------------------------------------------
WHOSE = _(
    "A notebook is a program of whoever wrote it. None of it runs until you run its cells; then it may do all "
    "that you may do. Open it if you trust where it comes from."
)
KEPT = _("A file that is there already stays as it is: the copy gets another name then.")
COPIED_BY = _("Your server makes the copy, as you.")
NEEDS_SERVER = _("No server of yours runs. Start one first; this page comes back then.")
IS_STOPPING = _("Your server {name} is being stopped.")
IS_LOOKED_FOR = _("The hub is looking for your server {name}, which ran before the hub was restarted.")
CHANGES_THEN = _("This page changes then, and offers to start a server if none of yours runs.")
IS_STARTING = _("Your server {name} is starting.")

# -- a copy that was not made ----------------------------------------------------------------------------
NO_SUCH_FILE = _("There is no {what}. Is this the right cluster?")
NOT_IN_REPOSITORY = _("There is no {what} in this version of the repository.")
MAY_NOT_READ = _("You may not read {what}. Ask its owner.")
CANNOT_READ = _("{what} cannot be read: {detail}.")
NO_REGULAR_FILE = _("{what} is not a regular file.")
NO_NOTEBOOK = _("{what} is not a notebook.")
TOO_LARGE = _("{what} is larger than 50 MB, and is not copied.")
REPOSITORY_TOO_LARGE = _(
    "This version of the repository is larger than 500 MB, and is not copied. Clone it in a terminal."
)
TOO_SLOW = _("{what} was not there in time. Try again later.")
BUSY = _("This server is copying another notebook. Try again in a minute.")
NO_GIT = _("There is no git where your server runs. Start one with a profile that has it.")
NO_SUCH_REF = _("The repository has no branch, tag or commit {what}.")
REPOSITORY_CLOSED = _("There is no such repository, or you may not read it: {detail}.")
GIT_FAILED = _("The repository cannot be read from where your server runs: {detail}.")
GALLERY_CLOSED = _("The gallery does not give {what} to everybody. Only public notebooks can be copied.")
NOT_IN_GALLERY = _("The gallery has no notebook {what}.")
GALLERY_AWAY = _("The gallery does not answer where your server runs: {detail}. Try again later.")
NO_ROOM = _("There is no room left in your home. Delete something, and try again.")
CANNOT_WRITE = _("The copy cannot be written into your home: {detail}.")
NOT_SHOWN = _("The notebook is copied to {what}, but this server shows another folder. Use another server.")
CANNOT_COPY = _(
    "The server {name} cannot copy notebooks: it has no jupyter_server 2, or was started before this hub did so. "
    "Start another one."
)
SERVER_SILENT = _("The server {name} did not say whether it has copied the notebook. Try again in a minute.")

speaks(__name__)
