"""What is said of datasets."""

from languages import sentence as _
from languages import speaks

NOT_A_CURSOR = _("This is no cursor of an earlier answer. Omit it to begin at the first.")
NOT_LISTED = _("The folder {folder} at {site} cannot be listed for you.")
NOT_WRITTEN = _(
    "The list of your datasets cannot be written into {folder} at {site}: {reason}. If you have no space left "
    "there, delete files; else ask the support of {site}."
)
TOO_MANY = _("{source} has more than {most} datasets in one folder; the others are not shown.")

speaks(__name__)
