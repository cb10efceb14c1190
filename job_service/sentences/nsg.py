"""What people read about NSG, the Neuroscience Gateway.  `{gateway}` is its title."""

from languages import sentence as _
from languages import speaks

# -- a job -------------------------------------------------------------------------------------------------
REFUSED = _("{gateway} refuses this: {reason}.")
NO_TOOL = _("{gateway} has no tool {tool}.")
ONE_FILE = _("A job at {gateway} has exactly one file: send a zip with all that it needs.")
FILE_GONE = _("The file of this job is not there any more. Send the job again.")
TIME_UP = _("the time that was asked for is over")
NO_END = _("the program did not come to its end")

# -- its files ---------------------------------------------------------------------------------------------
SENT_ALREADY = _("{gateway} takes files only before a job is sent.")
KEPT_TOGETHER = _("{gateway} removes the files of a job only all at once, with the job.")

speaks(__name__)
