"""What admins read of what they asked for, and cannot have."""

from languages import sentence as _
from languages import speaks

NO_SUCH_BAN = _("There is no such ban, or it was lifted.")

speaks(__name__)
