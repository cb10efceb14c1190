"""What is wrong with a request to the paths of the service before this one."""

from languages import sentence as _
from languages import speaks

# -- the header Payload --------------------------------------------------------------------------------------
PAYLOAD_MISSING = _("Send the header Payload: a JSON object with a command, such as {example}.")
PAYLOAD_NO_JSON = _("The header Payload is no JSON object. Write it such as {example}, with double quotes.")
PAYLOAD_TWICE = _("The header Payload names {field} twice. Name it once.")
NO_SUCH_FIELD = _("The header Payload has no field {field}. Its fields are {fields}.")
NO_COMMAND = _("{hpc} runs a line of yours: write it into the field command.")
NO_TOOL = _("{hpc} runs tools of its own: write the name of one into the field tool.")
NOT_TEXT = _("{field} must be a text.")
NOT_A_COUNT = _("{field} must be a whole number from 1.")
NOT_HOURS = _("runtime must be a number of hours, such as 0.5.")
NO_HOURS = _("runtime must be more than 0 hours.")
PAYLOAD_WRONG = _("The header Payload cannot be used as it is.")

# -- the file ------------------------------------------------------------------------------------------------
NAME_UNREADABLE = _('Content-Disposition cannot be read. Write it such as: attachment; filename="job.zip".')
NAME_MISSING = _('Say how the file is called, by the header Content-Disposition: attachment; filename="job.zip".')
NAME_NOT_ONE = _("{name} is not the name of a file: write one name, without folders.")
NAME_TOO_LONG = _("The name of the file is longer than {most} bytes.")
NO_BYTES = _("{name} is empty: send the file's bytes as the body, or omit Content-Disposition.")
FORM_UNREADABLE = _("The form cannot be read as multipart/form-data.")
FORM_NO_BOUNDARY = _("Content-Type names no boundary between the parts of the form.")
FORM_ONE_PART = _("The form has more than one part. Send the file alone.")
FORM_NO_PART = _("The form has no part. Send the file as its only one.")
FORM_CUT = _("The form ended before its last boundary.")

# -- what there is -------------------------------------------------------------------------------------------
NO_SUCH_HPC = _("There is no system {hpc}.")
NO_SUCH_PROJECT = _("There is no project {project}, or you may not use it.")
NO_SUCH_JOB = _("There is no job {job_id} of {project} at {hpc}.")
CANNOT_CHANGE = _("Some of that cannot be changed here.")
STAYS = _("This cannot be changed: send it as it is, or omit it.")
SEVERAL_PROJECTS = _("Several systems have a project {project}. Name it by its number: one of {numbers}.")

speaks(__name__)
