"""The options of a declared provider as a model that checks campaigns like any built-in provider's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model

from runner.model.channel import Channel
from runner.model.fields import FilePart
from runner.model.http_api import OptionRule


class DeclaredOptions(FilePart):
    """The options of a declared provider; each is known by its own name alone."""

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)


def options_model(
    provider: str, channel: Channel, rules: Mapping[str, OptionRule], names: Collection[str]
) -> type[FilePart]:
    """Give the model of the options that a channel's templates use; ``names`` are the dotted names in them.

    Templates that name ``options`` as a whole use them all.
    """
    used = {name: rule for name, rule in rules.items() if "options" in names or f"options.{name}" in names}
    # The model's own names for fields are ours: an option may be called `copy`, as a method of the model is.
    fields: dict[str, Any] = {
        f"option_{number}": (_kind(rule) | None, Field(default=None, alias=name, description=_sentence(name, rule)))
        for number, (name, rule) in enumerate(used.items())
    }
    title = "".join(part.title() for part in provider.replace("_", "-").split("-"))
    about = f"{provider}'s own options for a {channel}."
    return create_model(f"{title}{channel.title()}Options", __base__=DeclaredOptions, __doc__=about, **fields)


def _kind(rule: OptionRule) -> Any:
    return Annotated[_TYPES[rule.type], BeforeValidator(_reader(rule)), WithJsonSchema(rule.value_schema())]


_TYPES: Mapping[str, Any] = {"text": str, "integer": int, "number": int | float, "boolean": bool}


def _reader(rule: OptionRule) -> Callable[[Any], Any]:
    return lambda value: value if value is None else rule.read(value)


def _sentence(name: str, rule: OptionRule) -> str:
    default = f" `{rule.default}` when absent." if rule.default is not None else ""
    return (rule.description or f"`{name}`, as outreach.yaml declares it.") + default
