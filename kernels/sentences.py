"""Every sentence of this package that people read; no other module of it words one.

What programs in jobs say is worded there: in jobs there is none of this.  Said in the reader's language, see
`languages`.  Each stands behind the place or the name of a value.
"""

from languages import sentence as _
from languages import speaks

NOT_A_TIME = _("{value} is not a time; write 90m, 8h, 1h30m, 2d or 08:00:00")
TIME_OF_ZERO = _("{value} is no time at all; write at least 1m")
NOT_A_SIZE = _("{value} is not an amount of memory; write 900M or 64G")
SIZE_OF_ZERO = _("{value} is no memory at all; write at least 1M")
NOT_A_NUMBER = _("{value} is not a whole number; write digits, such as 4")
BELOW_ZERO = _("{value} is less than 0; write digits alone, such as 4")
NUMBER_TOO_LARGE = _("{value} is too large; write 999999 at most")
WHAT_TO_INSTALL = _("must say once what to install; write either `requirements` or `lock`")

# -- what a hook's author did wrong ------------------------------------------------------------------------
NO_HOOK_CLASS = _("{value} is not a hook; write a subclass of Hook")
NO_FRAGMENT = _("fragment() returned something else; write a Fragment, its texts as Shell")
NO_VARIABLE = _("{name} cannot be the name of a variable; write letters, digits and _")
NO_SHELL = _("release() returned something else; write Shell, or None")
NO_IMPLIED_HOOK = _("implied() returned something else; write a hook, or None")

speaks(__name__)
