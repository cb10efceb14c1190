"""Parameters: what a person may set within a profile or a job type, and what becomes of it.  Frozen values."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from kernels.environment import Value, Variable
from profiles import conditions
from profiles.catalogue.numbers import Number, decimal, whole
from profiles.catalogue.texts import Texts
from profiles.catalogue.values import Entry, Plain, Whole
from profiles.catalogue.wrong import WrongAt, WrongTogether
from profiles.conditions import Condition, Together
from profiles.sentences import mistakes

TRUE, FALSE = "true", "false"
"""The values of a flag."""

MOST_WORDS = 20
"""Words of the command line that one parameter may become, besides its value."""

LARGEST = 10**18 - 1
"""The largest whole number; `min` and `max` of a parameter that has no bounds of its own."""

_End = Annotated[Whole, Field(ge=-LARGEST, le=LARGEST)]


def _titled(value: Any) -> Any:
    """Turn a list of options into options that are their own titles."""
    if isinstance(value, str):
        raise ValueError(mistakes.ONE_TEXT.format(value=value[:40]))
    if not isinstance(value, list):
        return value
    wrong = [(place, why) for place, option in enumerate(value) if (why := _no_option(option, value[:place]))]
    if wrong:
        raise WrongTogether(tuple(WrongAt((str(place),), why) for place, why in wrong))
    return {str(option): str(option) for option in value}


def _no_option(option: Any, before: list[Any]) -> str | None:
    if not isinstance(option, str) and type(option) is not int:
        return mistakes.NOT_TEXT
    if option == "":
        # Nobody could see it: only one with a title is there to mean none.
        return mistakes.NOT_PICKABLE
    return mistakes.THERE_TWICE if option in before else None


def _can_be_picked(option: str) -> str:
    """Return an option that comes back from a form as it was sent; "" is what is sent for none."""
    if option and (not option.strip() or option != option.strip() or not option.isprintable()):
        raise ValueError(mistakes.NOT_PICKABLE)
    return option


def _not_only_none(options: dict[str, str]) -> dict[str, str]:
    if list(options) == [""]:
        raise WrongAt(("",), mistakes.NOT_PICKABLE)
    return options


def _as_typed(value: Any, info: ValidationInfo) -> Any:
    """Return a default as a person would type it; what it may be, the keys before it say."""
    if isinstance(value, bool) and info.data.get("flag", True):
        return TRUE if value else FALSE
    if isinstance(value, float) and info.data.get("decimal", True):
        return str(value)
    if value is None or isinstance(value, str) or type(value) is int:
        return value
    raise ValueError(mistakes.NOT_TEXT)


def _true(value: Any) -> Any:
    if value not in (None, True):
        raise ValueError(mistakes.FLAG_NOT_TRUE)
    return value


def _one_word(value: Any) -> Any:
    if value == "":
        raise ValueError(mistakes.EMPTY_ARGUMENT)
    return [value] if isinstance(value, str) else value


def _is_condition(text: str) -> str:
    conditions.parse(text)
    return text


_Option = Annotated[Value, Field(max_length=200), AfterValidator(_can_be_picked)]
_Word = Annotated[Value, Field(max_length=1000)]
_Words = Annotated[tuple[_Word, ...], Field(max_length=MOST_WORDS)]


class Decimals(Entry):
    """A decimal number: from `min` to `max`."""

    min: Number | None = Field(default=None, description="Smallest value. Default: any.")
    max: Number | None = Field(default=None, description="Largest value. Default: any.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min is not None and self.max is not None and Decimal(self.min) > Decimal(self.max):
            raise WrongAt(("min",), mistakes.MIN_OVER_MAX.format(most=self.max))
        return self

    def holds(self, text: str) -> bool:
        """Return whether a text is such a number."""
        number = decimal(text)
        if number is None:
            return False
        is_enough = self.min is None or number >= Decimal(self.min)
        return is_enough and (self.max is None or number <= Decimal(self.max))


class Parameter(Entry):
    """One thing that a person may set: one of some options, a number in a range, a flag, or a text."""

    title: Plain = Field(description="Title shown in the form.")
    description: Plain = Field(default="", description="One sentence shown below it.")
    options: Annotated[
        dict[_Option, Plain],
        BeforeValidator(_titled, json_schema_input_type=dict[Value, Plain] | list[str | int]),
        AfterValidator(_not_only_none),
    ] = Field(default_factory=dict, description="Values that may be chosen: a list, or values with titles.")
    min: _End | None = Field(default=None, description="Smallest whole number, instead of `options`.")
    max: _End | None = Field(default=None, description="Largest whole number, instead of `options`.")
    decimal: Decimals | None = Field(
        default=None, description="A decimal number: `{min: 0, max: 1}`. Instead of `options`."
    )
    flag: Annotated[Literal[True] | None, BeforeValidator(_true, json_schema_input_type=Literal[True])] = Field(
        default=None, description="`true`: yes or no. Instead of `options`."
    )
    text: Texts | None = Field(
        default=None, description="A line of text: `{longest: 40, pattern: }`. Instead of `options`."
    )
    default: Annotated[
        str | int | None, BeforeValidator(_as_typed, json_schema_input_type=str | int | float | bool | None)
    ] = Field(
        default=None,
        description='What a launch gets if nothing is chosen; `""` for nothing. Default: the first option, or '
        "`min`; no for a flag, nothing for a text.",
    )
    variable: Variable | None = Field(
        default=None, description="Environment variable that holds the value in the job. Default: none."
    )
    argument: Annotated[_Words | None, BeforeValidator(_one_word, json_schema_input_type=Value | _Words)] = Field(
        default=None,
        description="What stands before the value behind `run`, such as `--quality`: a word, or a list of words. "
        "Of a flag it stands there for yes. `[]`: the value stands alone.",
    )
    words: dict[_Option, _Words] = Field(
        default_factory=dict,
        description="What stands behind `run` for each option, such as `{r: [--reg, --red]}`. Instead of "
        "`argument`.",
    )
    when: Annotated[Value, AfterValidator(_is_condition)] | None = Field(
        default=None,
        description="Condition over the parameters of the chosen datasets, such as `channels > 1`: it is offered "
        "if it holds for each of them. Default: always.",
    )

    @property
    def condition(self) -> Condition | None:
        """When it is offered, None for always."""
        return None if self.when is None else conditions.parse(self.when)

    def is_for_all(self, datasets: Together) -> bool:
        """Return whether it is offered for all of the chosen datasets, of which others are asked too."""
        condition = self.condition
        return condition is None or datasets.all_hold(condition)

    @property
    def default_text(self) -> str:
        """What a launch gets if nothing is chosen; "" for nothing."""
        if self.default is not None:
            return str(self.default)
        if self.options:
            return next(iter(self.options))
        if self.flag:
            return FALSE
        if self.decimal is not None:
            return self.decimal.min or self.decimal.max or ""
        return str(self.min) if self.min is not None else ""

    @property
    def ends(self) -> tuple[str | None, str | None]:
        """The smallest and the largest number; None for any."""
        if self.decimal is not None:
            return self.decimal.min, self.decimal.max
        least = None if self.min is None or self.min == -LARGEST else str(self.min)
        return least, None if self.max is None or self.max == LARGEST else str(self.max)

    @property
    def is_fixed(self) -> bool:
        """Whether there is nothing to choose."""
        if self.options:
            return len(self.options) == 1
        return self.min is not None and self.min == self.max and self.default_text != ""

    def holds(self, number: int | None) -> bool:
        """Return whether a number is in the range."""
        if number is None or self.min is None or self.max is None:
            return False
        return self.min <= number <= self.max

    def accepts(self, text: str) -> bool:
        """Return whether a text is a value that may be chosen."""
        if self.flag:
            return text in (TRUE, FALSE)
        if self.decimal is not None:
            return self.decimal.holds(text)
        if self.text is not None:
            return self.text.holds(text)
        return text in self.options if self.options else self.holds(whole(text))

    def argv(self, value: str) -> tuple[str, ...]:
        """Return the words behind a program for a value; none for nothing."""
        if self.words:
            return self.words.get(value, ())
        if self.argument is None or value == "":
            return ()
        if self.flag:
            return self.argument if value == TRUE else ()
        return (*self.argument, value)

    def _kinds(self) -> list[str]:
        """Return the keys that say what may be picked."""
        named: Mapping[str, bool] = {
            "options": bool(self.options),
            "min": self.min is not None or self.max is not None,
            "decimal": self.decimal is not None,
            "flag": self.flag is not None,
            "text": self.text is not None,
        }
        return [name for name, there in named.items() if there]

    @model_validator(mode="after")
    def _says_what_may_be_picked(self) -> Self:
        kinds = self._kinds()
        if kinds[:2] == ["options", "min"]:
            raise ValueError(mistakes.OPTIONS_AND_RANGE)
        if len(kinds) > 1:
            raise WrongAt((kinds[1],), mistakes.PICKED_TWICE.format(name=kinds[0]))
        if not kinds or (kinds == ["min"] and (self.min is None or self.max is None)):
            raise ValueError(mistakes.NOTHING_TO_PICK)
        if kinds == ["min"] and self.min is not None and self.max is not None and self.min > self.max:
            raise WrongAt(("min",), mistakes.MIN_OVER_MAX.format(most=self.max))
        if why := self._why_no_default():
            raise WrongAt(("default",), why)
        wrong = tuple(self._wrong_words())
        if wrong:
            raise WrongTogether(wrong)
        return self

    def _why_no_default(self) -> str:
        """Return why a launch cannot have what it gets if nothing is chosen, "" if it can."""
        value = self.default_text
        if self.options:
            # A field that is left empty means the default.
            why_not_empty = mistakes.EMPTY_NOT_DEFAULT if "" in self.options and value else ""
            listed = ", ".join(filter(None, self.options))
            return why_not_empty if value in self.options else mistakes.NO_OPTION.format(options=listed)
        if self.accepts(value) or (value == "" and not self.flag):
            return ""
        if self.min is not None:
            return mistakes.NOT_IN_RANGE.format(least=self.min, most=self.max)
        return mistakes.NOT_SUCH[self._kinds()[0]]

    def _wrong_words(self) -> Iterator[WrongAt]:
        if self.words and self.argument is not None:
            yield WrongAt(("words",), mistakes.WORDS_AND_ARGUMENT)
        elif self.words and not self.options:
            yield WrongAt(("words",), mistakes.WORDS_WITHOUT_OPTIONS)
        else:
            for name in self.words:
                if name not in self.options:
                    text = mistakes.NO_OPTION_FOR_WORDS.format(options=", ".join(filter(None, self.options)))
                    yield WrongAt(("words", name), text)
        if self.flag and self.argument == ():
            yield WrongAt(("argument",), mistakes.FLAG_WITHOUT_WORD)
