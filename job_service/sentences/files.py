"""What people read about the files of their jobs.  `{path}` is a file's path, `{site}` a site's title."""

from languages import sentence as _
from languages import speaks

# -- a path that cannot be one -----------------------------------------------------------------------------
PATH_MISSING = _("Name a file.")
PATH_ABSOLUTE = _("Write a path within the folder of the job, without a slash at its beginning.")
PATH_LEAVES = _("Write a path within the folder of the job: empty parts, `.` and `..` are not allowed in it.")
PATH_CHARACTER = _("Control characters and backslashes are not allowed in the path of a file.")
PATH_TOO_LONG = _("The path is too long: it may have {most} bytes in all, and {part_most} between two slashes.")
PATH_OURS = _("The folder {folder} is the service's own.")

# -- a path that leads elsewhere ---------------------------------------------------------------------------
LEADS_OUT = _("{path} is a link, or lies behind one, that leads out of the folder of the job.")
IS_NO_FILE = _("{path} is a folder or a device, so it cannot be sent as a file.")
IS_NO_FOLDER = _("{path} is no folder, or a part of its path is none.")

# -- what is not there -------------------------------------------------------------------------------------
NO_SUCH_FILE = _("There is no {path} in the folder of this job.")
FOLDER_NOT_MADE = _("The job has no files yet: its folder is made for the first of them, or when the job is sent.")
FOLDER_GONE = _("The folder of this job was removed at the site.")
FOLDER_FOREIGN = _(
    "The folder of this job at {site} does not belong to you any more. Contact the support of {site}."
)

# -- what does not come whole ------------------------------------------------------------------------------
TOO_LARGE = _("{path} is too large: {site} takes files of up to {megabytes} MB.")
TAKES_NO_FILES = _("{site} takes no files for jobs any more.")
NO_SPACE = _("There is no space left for {path} at {site}, so it was not kept: {reason}.")
DELETE_OR_ASK = _("Delete files at {site}, or ask for more space, then send it again.")
OTHER_LENGTH = _("{came} bytes came of {path}, and {expected} were announced, so it was not kept.")
OTHER_DIGEST = _("What came of {path} has another SHA-256 than was announced, so it was not kept. Send it again.")
NOT_SENT = _("{path} could not be written at {site}: {reason}.")
NOT_WHOLE = _("Not all of {path} came to {site}, so it was not kept. Send it again.")
NOT_READ = _("{path} could not be read at {site}: {reason}.")
CHANGED_MEANWHILE = _("{path} became shorter while it was read.")
NOT_REMOVED = _("{path} could not be deleted at {site}: {reason}.")
NOT_ARCHIVED = _("Not all files of the job could be read at {site}: {reason}.")
NOT_UNDERSTOOD = _("The answer of {site} about the files of the job could not be understood.")
TRANSFERS_BUSY = _("Wait until one of your transfers with {site} is done, then try again.")

speaks(__name__)
