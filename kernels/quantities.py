"""Times and sizes as settings hold them: numbers of minutes and MiB, written as people write them."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from kernels import units

TimeText = int | Annotated[str, Field(pattern=units.TIME)]
MemoryText = int | Annotated[str, Field(pattern=units.MEMORY)]
"""What may be written where Minutes or Mebibytes are read."""

Minutes = Annotated[int, BeforeValidator(units.minutes, json_schema_input_type=TimeText), Field(gt=0)]
Mebibytes = Annotated[int, BeforeValidator(units.mebibytes, json_schema_input_type=MemoryText)]
