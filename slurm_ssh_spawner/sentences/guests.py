"""What people read of a server that somebody shares: who lets in whom, what a guest can do, until when."""

from languages import sentence as _
from languages import speaks

# -- what it means, to whom it belongs -------------------------------------------------------------------
ACTS_AS_YOU = _("A guest acts as you at {site}, with your account and your Kerberos ticket.")
ACTS_AS_YOU_ANYWHERE = _("A guest acts as you, with your account and your Kerberos ticket.")
CAN_RUN = _("They can run every program that you can run, and submit jobs that are charged to your projects.")
CAN_READ = _("They can read, change and delete all your files there, not only those of this server.")
CAN_COPY = _("They can copy your ticket and log in as you elsewhere until it ends.")
CAN_STAY = _(
    "What they leave behind, such as a job or a key for logins, stays when their access ends, "
    "and others cannot tell it from what you did."
)
ONLY_TRUSTED = _("Invite only people to whom you would leave your unlocked computer.")
LINK_IS_FOR_ONE = _("The link lets in one person, who needs an account at this hub.")
ENDS_WITH_SERVER = _("All access ends when the server stops.")
TAKEN_BACK_LATER = _(
    "Pages that a guest has open may work on for some minutes after you have taken back their access, "
    "a notebook or terminal for as long as the page stays open. To have them out at once, stop the server."
)
SEND_LINK = _("Send this link to the person whom you invite. It is shown only now, and lets in one person.")
NOBODY_HAS_ACCESS = _("Nobody but you has access.")
NO_INVITATIONS = _("No invitation is open.")

# -- what it means, to the guest -------------------------------------------------------------------------
INVITES_YOU = _("{owner} invites you to work in their server {server}.")
INVITES_YOU_TO_DEFAULT = _("{owner} invites you to work in their server.")
YOU_ACT_AS = _("You act there as {owner}: with their files, their account and their ticket.")
THEY_SEE = _("{owner}, and everybody else whom they have invited, can see and change what you do there.")
IN_YOUR_BROWSER = _(
    "What runs in this server can show pages in your browser that use your login to this hub. "
    "Accept only if you trust {owner}."
)
YOURS_UNTIL = _("Your access ends at {until}, or sooner if the server stops or {owner} takes it back.")

# -- what is refused -------------------------------------------------------------------------------------
NOT_SHARED = _("This server cannot be shared: the administrators have not allowed that for its profile.")
NOT_UP = _("Only a server that runs can be shared.")
NOT_BY_API = _("Servers are shared by invitation only: choose Share on your server's card at the hub's Home.")
NOT_SO_LONG = _("Choose one of the times that are offered.")
TOO_MANY = _("At most {most} guests and open invitations are possible. Take one back first.")
YOUR_OWN = _("This is an invitation to your own server. Send the link to the person whom you invite.")
INVITATION_OVER = _(
    "This invitation cannot be used: it has ended, was used already, or was taken back. Ask for a new one."
)

speaks(__name__)
