"""Titles, buttons and heads of tables about servers that somebody shares.  No full stops."""

from languages import sentence as _
from languages import speaks

SHARE = _("Share")
SHARED_WITH = _("shared with {guests}")
SHARE_TITLE = _("Share {server}")
WHAT_IT_MEANS = _("What a guest can do")
INVITE_TITLE = _("Invite somebody")
ENDS_AFTER = _("Access ends after")
INVITE = _("Make an invitation")
WHO_HAS_ACCESS = _("Who has access")
OPEN_INVITATIONS = _("Open invitations")
GUEST = _("Guest")
SINCE = _("Since")
MADE = _("Made")
UNTIL = _("Until")
ACTION = _("Action")
TAKE_BACK = _("Take back")
TAKE_BACK_FROM = _("Take back the access of {guest}")
TAKE_BACK_INVITATION = _("Take back the invitation made {made}")
ALL_MEMBERS = _("all members of {group}")
INVITATION = _("Invitation from {owner}")
ACCEPT = _("Accept, and open the server")
DECLINE = _("Do not accept")
SHARED_WITH_YOU = _("Shared with you")
SERVER_OF = _("{server} of {owner}")
ENDS = _("ends {until}")
OPEN = _("Open")
LEAVE = _("Leave")

speaks(__name__)
