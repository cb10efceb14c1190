"""What a job gets, and what a person may change of it: values with bounds."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from kernels import units
from kernels.units import Mebibytes, MemoryText, Minutes, TimeText
from profiles.catalogue.values import CountText, Entry, SlurmWord
from profiles.catalogue.wrong import WrongAt
from profiles.sentences import mistakes

Count = Annotated[int, BeforeValidator(units.count, json_schema_input_type=CountText)]
_EITHER: JsonDict = {"required": [], "anyOf": [{"required": ["default"]}, {"required": ["options"]}]}


class Bounds(Entry):
    """A whole number with a default; a person may choose one of `options`, or `least` to `most`."""

    model_config = ConfigDict(json_schema_extra=_EITHER)
    say: ClassVar[Callable[[int], str]] = str
    usual_least: ClassVar[int] = 1

    default: int = Field(description="What a launch gets if nothing is chosen. Default: the first option.")
    min: int | None = Field(default=None, description="Smallest value that may be chosen. Default: 1.")
    max: int | None = Field(default=None, description="Largest value that may be chosen. Default: `default`.")
    options: tuple[int, ...] = Field(
        default=(), description="Values that may be chosen, instead of `min` and `max`."
    )

    @property
    def least(self) -> int:
        """The smallest value that may be chosen."""
        if self.options:
            return min(self.options)
        return min(self.usual_least, self.default) if self.min is None else self.min

    @property
    def most(self) -> int:
        """The largest value that may be chosen."""
        if self.options:
            return max(self.options)
        return self.default if self.max is None else self.max

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.options:
            for name in ("min", "max"):
                if getattr(self, name) is not None:
                    raise WrongAt((name,), mistakes.NO_MEANING_BESIDE_OPTIONS)
            if self.default not in self.options:
                options = ", ".join(map(type(self).say, self.options))
                raise WrongAt(("default",), mistakes.NO_OPTION.format(options=options))
            return self
        say = type(self).say
        if self.least > self.most and self.min is None:
            raise WrongAt(("max",), mistakes.LESS_THAN_LEAST.format(least=say(self.least)))
        if self.least > self.most:
            raise WrongAt(("min",), mistakes.MORE_THAN_MOST.format(most=say(self.most)))
        if not self.least <= self.default <= self.most:
            least, most = say(self.least), say(self.most)
            text = mistakes.DEFAULT_OUTSIDE.format(value=say(self.default), least=least, most=most)
            raise WrongAt(("default",), text)
        return self


class Counts(Bounds):
    """How many: one of `options`, or `min` to `max`."""

    default: Count = Field(description="What a launch gets if nothing is chosen. Default: the first option.")
    min: Count | None = Field(default=None, description="Smallest value that may be chosen. Default: 1.")
    max: Count | None = Field(default=None, description="Largest value that may be chosen. Default: `default`.")
    options: tuple[Count, ...] = Field(
        default=(), description="Values that may be chosen, instead of `min` and `max`."
    )


class Sizes(Bounds):
    """How much memory, such as `900M` or `64G`: one of `options`, or `min` to `max`."""

    say: ClassVar[Callable[[int], str]] = units.say_mebibytes
    # No notebook server starts with much less.
    usual_least: ClassVar[int] = 256

    default: Mebibytes = Field(description="What a launch gets if nothing is chosen. Default: the first option.")
    min: Mebibytes | None = Field(
        default=None, description="Smallest value that may be chosen. Default: 256M, or `default` if that is less."
    )
    max: Mebibytes | None = Field(
        default=None, description="Largest value that may be chosen. Default: `default`."
    )
    options: tuple[Mebibytes, ...] = Field(
        default=(), description="Values that may be chosen, instead of `min` and `max`."
    )


class Durations(Bounds):
    """How long, such as `90m` or `8h`: one of `options`, or `min` to `max`."""

    say: ClassVar[Callable[[int], str]] = units.say_minutes

    default: Minutes = Field(description="What a launch gets if nothing is chosen. Default: the first option.")
    min: Minutes | None = Field(default=None, description="Smallest value that may be chosen. Default: 1m.")
    max: Minutes | None = Field(default=None, description="Largest value that may be chosen. Default: `default`.")
    options: tuple[Minutes, ...] = Field(
        default=(), description="Values that may be chosen, instead of `min` and `max`."
    )


def _spread(value: Any) -> Any:
    """Turn one value, which nobody may change, and options without a default into what Bounds holds."""
    if isinstance(value, list):
        raise ValueError(mistakes.CHOICE_AS_LIST.format(example="{options: [...]}"))
    if not isinstance(value, dict):
        return value if isinstance(value, Bounds) else {"default": value, "options": [value]}
    if "default" in value:
        return value
    options = value.get("options")
    if options == []:
        raise WrongAt(("options",), mistakes.TOO_FEW)
    if options is None:
        return value
    return {"default": options[0] if isinstance(options, list) else options, **value}


def _fixed(value: int) -> Any:
    return {"default": value, "options": (value,)}


def _one_or_more(bounds: Counts) -> Counts:
    if bounds.least < 1:
        raise ValueError(mistakes.NEEDS_ONE)
    return bounds


CountBounds = Annotated[Counts, BeforeValidator(_spread, json_schema_input_type=CountText | Counts)]
OneOrMore = Annotated[CountBounds, AfterValidator(_one_or_more)]
SizeBounds = Annotated[Sizes, BeforeValidator(_spread, json_schema_input_type=MemoryText | Sizes)]
DurationBounds = Annotated[Durations, BeforeValidator(_spread, json_schema_input_type=TimeText | Durations)]


class Resources(Entry):
    """What a job gets.  Each is one value, `{default: , min: , max: }` or `{options: [...]}`."""

    cores: OneOrMore = Field(default=Counts(**_fixed(1)), description="CPU cores on each node.")
    memory: SizeBounds = Field(default=Sizes(**_fixed(1024)), description="Memory on each node, such as `64G`.")
    gpus: CountBounds = Field(default=Counts(**_fixed(0)), description="GPUs on each node.")
    gpu_types: tuple[SlurmWord, ...] = Field(
        default=(),
        description="GPU types that may be chosen, the default first. Default: any.",
    )
    nodes: OneOrMore = Field(default=Counts(**_fixed(1)), description="Nodes; the server runs on the first.")
    time: DurationBounds = Field(
        default=Durations(default=60, min=1, max=480), description="How long the job may run, such as `8h`."
    )
