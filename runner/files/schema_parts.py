"""What the models' own schema cannot say: short forms, rules over keys, examples; tables only."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

WINDOW_TEXT: Schema = {
    "type": "string",
    "pattern": r"\d\s*([aApP]\.?[mM]\.?)?\s*(-|\u2013|to)\s*\d",
    "patternErrorMessage": "write days and hours: mon-fri 09:00-18:00",
    "examples": ["mon-fri 10:00-18:00", "mon-fri 9am-6pm; sat 10:00-14:00"],
}

SHORT_FORMS: dict[str, list[Schema]] = {
    "Agent": [
        {
            "type": "string",
            "pattern": r"^\s*[a-z][a-z0-9-]*/\S.*$",
            "patternErrorMessage": "write provider/id, for example revox/asst_8f2c",
            "examples": ["movoice/agent_12345", "revox/asst_8f2c"],
        }
    ],
    "ContactSource": [
        {"type": "string", "minLength": 1, "examples": ["contacts/people.csv"]},
        {"type": "array", "items": {"$ref": "#/$defs/Person"}, "minItems": 1},
    ],
    "Retry": [
        {
            "type": "string",
            "pattern": r"^\s*(never|no|once|twice|\d+\s+times?)\b",
            "patternErrorMessage": "write: 3 times, 2h apart   (or: never)",
            "examples": ["3 times, 2h apart, on no_answer, busy", "twice, 1d apart", "never"],
        }
    ],
    "Auth": [{"type": "string", "pattern": "^[A-Za-z0-9-]+$", "examples": ["X-Acme-Key"]}],
    "Signature": [{"enum": ["none", "standard"]}],
    "Variable": [{"type": ["string", "number", "boolean"], "examples": ["{{ contact.name | title }}"]}],
    "Prompt": [{"type": "string", "minLength": 1, "examples": ["You call {{first_name}} about a visit."]}],
    "Variant": [{"type": "integer", "minimum": 0, "examples": [1, 2]}],
    "Message": [{"type": "string", "minLength": 1, "examples": ["Hello {{ contact.name }}, your visit is tomorrow."]}],
}
"""by model: what may stand in place of its map"""

NEW_PARTS: dict[str, Schema] = {
    "Person": {
        "type": "object",
        "description": "One person: a phone number and whatever templates use.",
        "minProperties": 1,
        "examples": [{"phone": "+12025550143", "name": "Ann"}],
    },
    "Windows": {
        "description": "Spans of local time: one line, a map, or a list of them.",
        "anyOf": [
            WINDOW_TEXT,
            {"$ref": "#/$defs/Window"},
            {"type": "array", "items": {"anyOf": [WINDOW_TEXT, {"$ref": "#/$defs/Window"}]}, "minItems": 1},
        ],
    },
    "Outcomes": {
        "description": "Outcomes: one line with commas, or a list.",
        "anyOf": [
            {"type": "array", "items": {"$ref": "#/$defs/Outcome"}, "minItems": 1},
            {"type": "string", "minLength": 1, "examples": ["no_answer, busy, voicemail"]},
        ],
    },
}

_SPAN: Schema = {
    "type": "string",
    "pattern": r"^(\s*\d+(\.\d+)?\s*[smhdw])+\s*$|^P",
    "patternErrorMessage": "write: 90s, 5m, 2h or 1d",
    "examples": ["90s", "5m", "1h"],
}
NEW_PARTS["Waits"] = {
    "description": "One span, or a list of them of which the last repeats.",
    "anyOf": [_SPAN, {"type": "array", "items": _SPAN, "minItems": 1}],
}
NEW_PARTS["RetriedOutcomes"] = {
    "description": "Outcomes, or a map from each to its own wait.",
    "anyOf": [
        {"$ref": "#/$defs/Outcomes"},
        {
            "type": "object",
            "propertyNames": {"$ref": "#/$defs/Outcome"},
            "additionalProperties": {
                "anyOf": [{"$ref": "#/$defs/Waits"}, {"$ref": "#/$defs/OutcomeRetry"}, {"type": "null"}]
            },
            "minProperties": 1,
            "examples": [{"busy": "10m", "no_answer": "2h"}],
        },
    ],
}

NEW_PARTS["Caps"] = {
    "description": "Caps: one line with commas, one cap, or a list of caps.",
    "anyOf": [
        {"type": "string", "minLength": 1, "examples": ["1 per day, 3 per 7d"]},
        {"$ref": "#/$defs/CapRule"},
        {"type": "array", "items": {"anyOf": [{"type": "string", "minLength": 1}, {"$ref": "#/$defs/CapRule"}]}},
    ],
}

_TARGET_NAMES: Schema = {
    "anyOf": [
        {"type": "string", "minLength": 1, "examples": ["team", "team, crm"]},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
    ]
}
NEW_PARTS["Hooks"] = {
    "description": "Whom to notify on what: a map from what happens to targets, or a list of long forms.",
    "anyOf": [
        {
            "type": "object",
            "additionalProperties": _TARGET_NAMES,
            "examples": [{"answered, declined": "crm", "tag BOOKED": "crm", "finished, paused": "team"}],
        },
        {"type": "array", "items": {"$ref": "#/$defs/Hook"}},
    ],
}

_WORD_LIST: Schema = {
    "anyOf": [
        {"type": "array", "items": {"type": ["string", "number", "boolean"]}},
        {"type": "string", "minLength": 1, "examples": ["queued, ringing"]},
    ]
}

_AGENT_NAMES: Schema = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
}

REPLACED: dict[tuple[str, str], Schema] = {
    ("AccountEntry", "poll"): {
        "anyOf": [
            {"type": "array", "items": _SPAN, "minItems": 1},
            {"type": "string", "minLength": 1, "examples": ["90s, 5m, 15m, 1h"]},
        ]
    },
    ("AccountEntry", "provider"): {
        "anyOf": [
            {"enum": ["revmo", "revring", "revox", "movoice"]},
            {"type": "string", "pattern": "^[a-z][a-z0-9-]*$", "examples": ["acme"]},
        ]
    },
    ("HttpApi", "live"): _WORD_LIST,
    ("OptionRule", "one_of"): _WORD_LIST,
    ("Campaign", "windows"): {"$ref": "#/$defs/Windows"},
    ("Defaults", "windows"): {"$ref": "#/$defs/Windows"},
    ("Campaign", "caps"): {"$ref": "#/$defs/Caps"},
    ("Project", "caps"): {"$ref": "#/$defs/Caps"},
    ("Campaign", "on"): {"$ref": "#/$defs/Hooks"},
    ("Defaults", "on"): {"$ref": "#/$defs/Hooks"},
    ("Retry", "on"): {"$ref": "#/$defs/RetriedOutcomes"},
    ("Retry", "after"): {"$ref": "#/$defs/Waits"},
    ("Retry", "stop_when"): {"anyOf": [{"$ref": "#/$defs/Outcomes"}, {"type": ["string", "boolean"]}]},
    ("OutcomeRetry", "after"): {"$ref": "#/$defs/Waits"},
    ("Campaign", "done_when"): {"anyOf": [{"$ref": "#/$defs/Outcomes"}, {"type": ["string", "boolean"]}]},
    ("Step", "call"): _AGENT_NAMES,
    ("Step", "text"): _AGENT_NAMES,
    ("Step", "when"): {"anyOf": [{"$ref": "#/$defs/Outcomes"}, {"type": ["string", "boolean"]}]},
    ("ContactSource", "inline"): {"type": "array", "items": {"$ref": "#/$defs/Person"}, "minItems": 1},
    ("Window", "days"): {
        "anyOf": [
            {"type": "string", "examples": ["mon-fri", "mon, wed, fri", "daily"]},
            {
                "type": "array",
                "minItems": 1,
                "items": {"anyOf": [{"enum": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}, {"type": "string"}]},
            },
        ]
    },
}
"""by model and key: what stands in place of the schema that pydantic gives"""

RULES: dict[str, Schema] = {
    "Agent": {"anyOf": [{"required": ["id"]}, {"required": ["define"]}]},
    "Prompt": {"oneOf": [{"required": ["text"]}, {"required": ["template"]}]},
    "Campaign": {"anyOf": [{"required": ["agent"]}, {"required": ["agents"]}]},
    "Step": {
        "oneOf": [{"required": ["call"]}, {"required": ["text"]}],
        "not": {"required": ["call", "message"]},
    },
    "ContactSource": {"oneOf": [{"required": ["file"]}, {"required": ["inline"]}]},
}
"""by model: which keys go together"""

EXAMPLES: dict[tuple[str, str], list[Any]] = {
    ("AccountEntry", "base_url"): ["https://api.movoice.ai/v1"],
    ("AccountEntry", "generation"): ["A", "D"],
    ("Agent", "id"): ["agent_12345", "asst_8f2c"],
    ("Agent", "account"): ["default"],
    ("Campaign", "campaign"): ["april-reminders"],
    ("Campaign", "description"): ["Reminds customers of open invoices."],
    ("Campaign", "locale"): ["en_US", "de_DE", "fr_CA"],
    ("AttemptLimit", "attempts"): [3],
    ("Columns", "jurisdiction"): ["state"],
    ("Columns", "key"): ["customer_id"],
    ("Columns", "phone"): ["phone", "mobile"],
    ("Columns", "timezone"): ["timezone", "tz"],
    ("Compliance", "consent_column"): ["consent"],
    ("Compliance", "disclosure"): ["The greeting says who calls and that it is an AI."],
    ("Override", "reason"): ["all are customers of the last two years"],
    ("Override", "row"): ["us-tx-marketing"],
    ("ContactSource", "encoding"): ["utf-8", "cp1252", "utf-16"],
    ("ContactSource", "file"): ["contacts/people.csv"],
    ("ContactSource", "where"): ["amount_due > 0"],
    ("ContactSource", "suppress"): [["contacts/do-not-call.csv"]],
    ("Defaults", "locale"): ["en_US", "de_DE", "fr_CA"],
    ("Limits", "concurrency"): [10],
    ("Limits", "per_second"): [0.5, 2],
    **{
        (model, key): [example]
        for model in ("Limits", "SharedLimits")
        for key, example in {"per_minute": 30, "per_day": 500, "priority": 5}.items()
    },
    ("SharedLimits", "concurrency"): [50],
    ("SharedLimits", "per_second"): [0.5, 2],
    ("Message", "template"): ["reminder.txt"],
    ("NotifyTarget", "webhook"): ["https://hooks.example.com/outreach", "env:CRM_HOOK_URL"],
    **{
        (model, key): [example]
        for model in ("PollRequest", "WebhookShape", "CallbackShape")
        for key, example in {
            "outcome": "data.status",
            "tag": "data.result",
            "summary": "data.summary",
            "sentiment": "data.sentiment",
            "duration": "data.seconds",
            "recording": "data.recording_url",
            "transcript": "data.turns",
            "structured": "data.answers",
            "hangup_cause": "data.hangup",
            "opt_out": "data.do_not_call",
            "ended_at": "data.ended_at",
        }.items()
    },
    ("AccountEntry", "spare_lines"): [2],
    ("CallbackShape", "id"): ["data.call.external_id"],
    ("CallbackShape", "reference"): ["metadata.attempt_id"],
    ("CancelRequest", "path"): ["/calls/{{ id }}/cancel"],
    ("HttpApi", "check"): ["/me"],
    ("InboundShape", "from"): ["message.from"],
    ("InboundShape", "body"): ["message.text"],
    ("InboundShape", "to"): ["message.to"],
    ("InboundShape", "id"): ["message.id"],
    ("InboundShape", "at"): ["message.sent_at"],
    ("Auth", "scheme"): ["Bearer", "Token"],
    ("FindRequest", "path"): ["/calls?reference={{ reference }}", "/calls?to={{ phone }}&page={{ page }}"],
    ("FindRequest", "items"): ["data.calls"],
    ("FindRequest", "id"): ["id"],
    ("FindRequest", "reference"): ["metadata.reference"],
    ("FindRequest", "phone"): ["to"],
    ("FindRequest", "created_at"): ["created_at"],
    ("FindRequest", "more"): ["has_more"],
    ("HttpApi", "base_url"): ["https://api.acme.example/v2"],
    ("HttpApi", "error_message"): ["error.detail"],
    ("HttpApi", "outcomes"): [{"done": "answered", "rang_out": "no_answer"}],
    ("HttpApi", "errors"): [{"409": "rejected", "423": "throttled", "410": "invalid_number"}],
    ("HttpApi", "headers"): [{"X-Tenant": "7"}],
    ("OptionRule", "default"): ["5"],
    ("OptionRule", "description"): ["How soon it is dialled, from 1 to 9."],
    ("OptionRule", "minimum"): [1],
    ("OptionRule", "maximum"): [9],
    ("PlacingRequest", "path"): ["/calls"],
    ("PlacingRequest", "body"): [{"to": "{{ phone }}", "assistant": "{{ agent }}"}],
    ("PlacingRequest", "id"): ["data.call.id"],
    ("PlacingRequest", "remaining"): ["data.calls_left"],
    ("PollRequest", "path"): ["/calls/{{ id }}"],
    ("Signature", "header"): ["X-Acme-Signature"],
    ("Signature", "prefix"): ["sha256="],
    ("Signature", "timestamp"): ["X-Acme-Timestamp"],
    ("WebhookShape", "id"): ["call.id"],
    ("WebhookShape", "reference"): ["call.metadata.reference"],
    ("Project", "ledger"): ["sqlite:///.outreach/ledger.db"],
    ("Project", "templates"): ["templates"],
    ("CapRule", "attempts"): [3],
    ("Retry", "attempts"): [3],
    ("Retry", "backoff"): [2],
    ("Retry", "stop_when"): ["tag == 'REFUSED'"],
    ("OutcomeRetry", "attempts"): [2],
    ("Callback", "tag"): ["CALLBACK"],
    ("Callback", "at"): ["callback_at"],
    ("Callback", "times"): [1],
    ("Campaign", "done_when"): ["tag == 'BOOKED'"],
    ("Step", "call"): ["reminder", ["main", "spare"]],
    ("Step", "text"): ["reminder"],
    ("Step", "backups"): [["spare"]],
    ("Variant", "weight"): [1],
    ("Variant", "agent"): ["friendly"],
    ("Step", "name"): ["first-call"],
    ("Step", "when"): ["no_answer, busy", "previous.outcome == 'no_answer'"],
    ("Variable", "value"): ["{{ contact.name | title }}"],
}
"""by model and key: what people write"""
