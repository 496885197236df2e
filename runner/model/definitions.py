"""Which model checks an agent's definition, by provider and generation; the only list of them."""

from __future__ import annotations

from collections.abc import Mapping

from runner.model.fields import FilePart
from runner.model.movoice_agent import MovoiceDefinition
from runner.model.revox_assistant import RevoxDefinition, RevoxDefinitionD

DEFINITIONS: Mapping[str, Mapping[str, type[FilePart]]] = {
    "movoice": {"": MovoiceDefinition},
    "revox": {"": RevoxDefinition, "d": RevoxDefinitionD},
}
"""by provider and generation in lower case; the empty generation stands for every one that is not named"""


def definition_model(provider: str, generation: str = "") -> type[FilePart] | None:
    """Give the model of a provider's agents; None where agents cannot be defined."""
    models = DEFINITIONS.get(provider)
    return models.get(generation.lower(), models[""]) if models else None
