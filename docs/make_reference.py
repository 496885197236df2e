"""Write docs/reference.md from the models, the commands and the filters: `python docs/make_reference.py`.

Everything in that page stands once, in the code; `tests/test_docs.py` fails when the page is stale.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import click

from runner.cli.main import COMMANDS, outreach
from runner.errors import ExitCode
from runner.files.schema import campaign_schema
from runner.model.attempt import MOVES, AttemptState
from runner.model.move import ContactState
from runner.model.outcome import Outcome
from runner.model.plan import PlanStatus
from runner.providers.registry import all_providers
from runner.rules.filters import TESTS, filters_for

PAGE = Path(__file__).with_name("reference.md")

Schema = dict[str, Any]

HEAD = """\
# Reference

Every key of the files, every command, every word. Made from the code by `python docs/make_reference.py`;
the explanations are in [campaign-file.md](campaign-file.md) and [machine-formats.md](machine-formats.md).
"""

CAMPAIGN_PARTS = (
    ("AgentMap", "agents.*"),
    ("ContactSourceMap", "contacts"),
    ("Columns", "contacts.columns"),
    ("Window", "windows.*"),
    ("RetryMap", "retry"),
    ("OutcomeRetry", "retry.on.*"),
    ("Step", "steps.*"),
    ("MessageMap", "steps.*.message"),
    ("VariableMap", "variables.*"),
    ("Compliance", "compliance"),
    ("Override", "compliance.overrides.*"),
    ("AttemptLimit", "compliance.overrides.*.attempts.*"),
    ("Callback", "callback"),
    ("VariantMap", "variants.*"),
    ("CapRule", "caps.*"),
    ("Schedule", "schedule"),
    ("Limits", "limits"),
    ("Hook", "on.*"),
)
PROJECT_PARTS = (
    ("Project", "outreach.yaml"),
    ("AccountEntry", "accounts.*"),
    ("CallbackShape", "accounts.*.callback"),
    ("Defaults", "defaults"),
    ("NotifyTarget", "notify.*"),
    ("SharedLimits", "accounts.*.limits"),
)
DECLARED_PARTS = (
    ("HttpApi", "providers.*"),
    ("AuthMap", "providers.*.auth"),
    ("PlacingRequest", "providers.*.call"),
    ("PollRequest", "providers.*.poll"),
    ("FindRequest", "providers.*.find"),
    ("CancelRequest", "providers.*.cancel"),
    ("WebhookShape", "providers.*.webhook"),
    ("SignatureMap", "providers.*.webhook.signature"),
    ("InboundShape", "providers.*.inbound"),
    ("OptionRule", "providers.*.options.*"),
)
OPTION_PARTS = (
    ("MovoiceCallOptions", "movoice, calls"),
    ("RevmoCallOptions", "revmo, calls"),
    ("RevmoTextOptions", "revmo, texts"),
    ("RevoxCallOptions", "revox, calls"),
    ("RevoxConcurrency", "revox, `concurrency`"),
    ("RevringCallOptions", "revring, calls"),
    ("RevringTextOptions", "revring, texts"),
)
AGENT_PARTS = (
    ("PromptMap", "prompt"),
    ("MovoiceAgent", "movoice, agents"),
    ("RevoxAgent", "revox, agents"),
    ("RevoxVoiceD", "revox, `voice`"),
    ("RevoxModelD", "revox, `model`"),
    ("StructuredOutput", "revox, `structured_output_config.*`"),
    ("FaqItem", "revox, `faq_items.*`"),
    ("Calendly", "revox, `calendly`"),
    ("TransferDestination", "revox, `transfer_destinations.*`"),
    ("AssistantRetryD", "revox, `call_retry_config`"),
    ("AssistantWindow", "revox, `call_retry_config.calling_windows.*`"),
)

LINKS = {
    "Agent": "#agents",
    "Hook": "#on",
    "Hooks": "#on",
    "NotifyTarget": "#notify",
    "AgentDefinition": "#agents-as-code",
    "AssistantRetry": "#revox-call_retry_config",
    "AssistantRetryD": "#revox-call_retry_config",
    "Calendly": "#revox-calendly",
    "AttemptLimit": "#complianceoverridesattempts",
    "Auth": "#providersauth",
    "Callback": "#callback",
    "CallbackShape": "#accountscallback",
    "CancelRequest": "#providerscancel",
    "Columns": "#contactscolumns",
    "Compliance": "#compliance",
    "Consent": "law.md#consent",
    "ContactSource": "#contacts",
    "Defaults": "#defaults",
    "FindRequest": "#providersfind",
    "InboundShape": "#providersinbound",
    "Limits": "#limits",
    "Message": "#stepsmessage",
    "Prompt": "#prompt",
    "Override": "#complianceoverrides",
    "Outcomes": "#how-an-attempt-ended-outcome",
    "PlacingRequest": "#providerscall",
    "PollRequest": "#providerspoll",
    "Purpose": "campaign-file.md#the-smallest-campaign",
    "Retry": "#retry",
    "RevoxConcurrency": "#revox-concurrency",
    "Schedule": "#schedule",
    "Signature": "#providerswebhooksignature",
    "WebhookShape": "#providerswebhook",
    "SharedLimits": "#accountslimits",
    "Variant": "#variants",
    "Waits": "campaign-file.md#retries",
    "RetriedOutcomes": "campaign-file.md#retries",
    "OutcomeRetry": "#retryon",
    "Windows": "#windows",
    "Caps": "campaign-file.md#caps-and-suppressions",
    "CapRule": "#caps",
}
"""part of the schema -> where it is explained"""

JINJA_FILTERS = {
    "abs": "The number without its sign.",
    "d": "Another name of `default`.",
    "default": "Another value where there is none: `{{ contact.doctor | default('your dentist') }}`.",
    "first": "The first item of a list.",
    "items": "The keys and values of a map, in pairs.",
    "last": "The last item of a list.",
    "list": "A list of the items.",
    "max": "The largest item.",
    "min": "The smallest item.",
    "reverse": "The other way round.",
    "sort": "The items in order.",
    "unique": "Each item once.",
}
SHORT_FILTERS = {
    "capitalize": "The first letter large, all others small.",
    "lower": "All letters small.",
    "string": "As text.",
    "upper": "All letters large.",
    "wordcount": "Count the words.",
}


def reference() -> str:
    """Give the text of the page."""
    schema = campaign_schema(all_providers())
    parts = [
        HEAD,
        *_files(schema),
        *_commands(),
        "## Words\n",
        *_words("How an attempt ended (`outcome`)", Outcome),
        *_words("Where an attempt stands (`state` of an attempt)", AttemptState),
        _moves(),
        *_words("Where a contact stands (`state` of a contact, keys of `row_stats`)", ContactState),
        *_words("What applying a plan would do (`status` of a plan's line)", PlanStatus),
        _exit_codes(),
        _filters(),
    ]
    return "\n".join(parts)


def _files(schema: Schema) -> Iterator[str]:
    definitions = schema["$defs"]
    yield "## Campaign file\n"
    yield _keys(schema)
    for name, place in CAMPAIGN_PARTS:
        yield f"### `{place}`\n"
        yield _sentence(definitions[name]) + _short_form(definitions, name)
        yield _keys(definitions[name])
    yield "## Project file\n"
    for name, place in (*PROJECT_PARTS, *DECLARED_PARTS):
        yield f"### `{place}`\n"
        yield _sentence(definitions[name])
        yield _keys(definitions[name])
    yield "## Provider options\n\nUnder `options` of an agent or a step, with the provider's own names.\n"
    for name, title in OPTION_PARTS:
        yield f"### {title}\n"
        yield _keys(definitions[name])
    yield "## Agents as code\n\nUnder `define` of an agent: [what becomes of it](agents.md).\n"
    for name, title in AGENT_PARTS:
        yield f"### {title}\n"
        yield _keys(definitions[name])


def _sentence(schema: Schema) -> str:
    return f"{schema['description'].strip()}\n"


def _short_form(definitions: Schema, name: str) -> str:
    """Say what may stand in place of a map."""
    short = definitions.get(name.removesuffix("Map"), {}).get("anyOf", []) if name.endswith("Map") else []
    examples = [example for one in short for example in one.get("examples", [])]
    return "\nShort: " + ", ".join(f"`{example}`" for example in examples) + "\n" if examples else ""


def _keys(schema: Schema) -> str:
    """Lay the keys of a map out as a table."""
    required = set(schema.get("required", []))
    rows = ["| key | meaning | written | without it |", "|---|---|---|---|"]
    for key, value in schema["properties"].items():
        default = "**needed**" if key in required else _value(value["default"]) if "default" in value else ""
        rows.append(f"| `{key}` | {_cell(value.get('description', ''))} | {_written(value)} | {default} |")
    return "\n".join(rows) + "\n"


def _written(value: Schema) -> str:
    """Say how a value is written: its choices, or examples."""
    if "enum" in value:
        choices = [one for one in value["enum"] if not isinstance(one, str)] or value["enum"]
        return ", ".join(_value(one) for one in choices)
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"see [{name}]({LINKS[name]})"
    if "examples" in value:
        return ", ".join(_value(one) for one in value["examples"][:3])
    if "anyOf" in value:
        return next((found for found in map(_written, value["anyOf"]) if found), "")
    kinds = value.get("type", "")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    return {
        "object": "a map",
        "array": "a list",
        "integer": "a whole number",
        "number": "a number",
        "string": "text",
    }.get(kind, "") + _bounds(value)


def _bounds(value: Schema) -> str:
    bounds = [
        f"{word} {value[key]}"
        for key, word in (("minimum", "from"), ("maximum", "to"), ("maxLength", "at most"))
        if key in value
    ]
    return f", {' '.join(bounds)}" if bounds else ""


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict):
        return "`{" + ", ".join(f"{key}: {one}" for key, one in value.items()) + "}`"
    if isinstance(value, list):
        return "`[" + ", ".join(map(str, value)) + "]`"
    return f"`{_cell(str(value))}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    group = outreach
    yield "Before any command:\n"
    yield _options(group)
    context = click.Context(group, info_name="outreach")
    for name in COMMANDS:
        command = group.get_command(context, name)
        if command is None:
            message = f"there is no command {name}"
            raise LookupError(message)
        yield from _command(name, command, context, "###")
        if isinstance(command, click.Group):
            for part, under in command.commands.items():
                yield from _command(f"{name} {part}", under, context, "####")


def _command(name: str, command: click.Command, context: click.Context, heading: str) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(click.Context(command, info_name=name, parent=context)))
    yield f"{heading} `outreach {name}`\n"
    yield f"    outreach {name} {usage}\n"
    yield f"{inspect.cleandoc(command.help or '')}\n"
    if any(isinstance(one, click.Option) for one in command.params):
        yield _options(command)


def _options(command: click.Command) -> str:
    rows = ["| option | meaning |", "|---|---|"]
    options = [one for one in command.params if isinstance(one, click.Option)]
    rows += [f"| `{_option_name(one)}` | {_cell(one.help or '')}{_option_default(one)} |" for one in options]
    return "\n".join(rows) + "\n"


def _option_name(option: click.Option) -> str:
    names = ", ".join(sorted(option.opts, key=len))
    if option.is_flag:
        return names
    if isinstance(option.type, click.Choice):
        choices = "\\|".join(map(str, option.type.choices))
        return f"{names} {choices}"
    return f"{names} {option.metavar or option.type.name.upper()}"


def _option_default(option: click.Option) -> str:
    return f" Default: `{option.default}`." if option.show_default and not option.is_flag else ""


def _words(title: str, kind: type[Enum]) -> Iterator[str]:
    yield f"### {title}\n"
    yield "\n".join(f"- `{member.value}`: {text}" for member, text in _described(kind)) + "\n"


def _described(kind: type[Enum]) -> Iterator[tuple[Enum, str]]:
    """Give each member with the string that stands under it in the source."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    if not isinstance(body, ast.ClassDef):
        raise TypeError(kind)
    for assignment, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(assignment, ast.Assign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            target = assignment.targets[0]
            if isinstance(target, ast.Name):
                yield kind[target.id], str(below.value.value)


def _moves() -> str:
    lines = ["The only moves there are:\n"]
    for old, news in MOVES.items():
        if news:
            lines.append(f"- `{old}` to {', '.join(f'`{new}`' for new in AttemptState if new in news)}")
    return "\n".join(lines) + "\n"


def _exit_codes() -> str:
    rows = "\n".join(f"| {member.value} | {text.replace('``', '`')} |" for member, text in _described(ExitCode))
    return f"## Exit codes\n\n| code | meaning |\n|---|---|\n{rows}\n"


def _filters() -> str:
    lines = ["## Template filters\n"]
    for name, function in sorted(filters_for("en_US").items()):
        lines.append(f"- `{name}`: {_filter_meaning(name, function)}")
    tests = ", ".join(f"`{name}`" for name in TESTS)
    return "\n".join(lines) + f"\n\nTests after `is`: {tests}.\n"


def _filter_meaning(name: str, function: Any) -> str:
    known = JINJA_FILTERS.get(name) or SHORT_FILTERS.get(name)
    if known:
        return known
    if name in {"length", "count"}:
        return "Count the characters of a text or the items of a list."
    text = inspect.getdoc(function)
    if not text:
        message = f"the filter {name} has no sentence"
        raise LookupError(message)
    return text.splitlines()[0].replace("``", "`").partition("; raise ")[0].rstrip(".") + "."


def main() -> None:
    """Write the page."""
    PAGE.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
