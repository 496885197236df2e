"""An agent's words as a provider fills them in: `{{name}}` becomes the call's variable of that name.

No provider says whether a value is looked through again. The worst is played: one variable after
the other, over what stands there so far, until nothing changes, so that a mark that came with
somebody's data would be filled in as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from runner.sandbox.call import Call

_MARK = re.compile(r"\{\{\s*(?P<name>[^{}\s]+)\s*\}\}")
_ROUNDS = 10
_LONGEST = 100_000


def filled_in(words: str, variables: Mapping[str, Any]) -> str:
    """Give the words with every mark filled in that names a variable; others stay as they are."""
    texts = {name: _text(value) for name, value in variables.items()}
    for _ in range(_ROUNDS):
        before = words
        for name, text in texts.items():
            words = _one_filled_in(words, name, text)
        if words == before or len(words) > _LONGEST:
            break
    return words


def variables_of(call: Call) -> Mapping[str, Any]:
    """Give the variables that came with a call, under whichever name its provider has for them."""
    for name in ("variables", "prompt_variables"):
        found = call.asked.get(name)
        if isinstance(found, dict):
            return found
    return {}


def _one_filled_in(words: str, name: str, text: str) -> str:
    return _MARK.sub(lambda mark: text if mark["name"] == name else mark[0], words)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
