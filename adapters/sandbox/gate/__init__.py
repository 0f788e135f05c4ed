"""The strict gate of the simulated Slack: says of a message or view what the real Slack would refuse.

Three opinions are heard, because each catches what the others miss (reference slack.md 6a): a JSON Schema generated from Slack's own
`@slack/types`, the validators of Slack's own `slack_sdk`, and the rules over a whole payload that neither knows.
Charts, of which neither package knows, have a schema of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.sandbox.gate import charts
from adapters.sandbox.gate.models import model_problems
from adapters.sandbox.gate.problem import Kind, Problem
from adapters.sandbox.gate.rules import rule_problems
from adapters.sandbox.gate.schema import schema_problems

__all__ = ["Kind", "Problem", "problems"]


def problems(kind: Kind, payload: Mapping[str, Any]) -> list[Problem]:
    """Return everything wrong with the payload, ordered by place; empty when Slack would take it.

    A message is the arguments of chat.postMessage or chat.update, a view is the `view` of views.publish or views.open.
    """
    known = _without_charts(payload)
    by_schema = schema_problems(kind, known)
    # The SDK's models raise whatever they like on malformed input, and the schema has already refused it.
    by_models = [] if by_schema else model_problems(kind, known)
    return sorted({*by_schema, *by_models, *rule_problems(kind, payload)}, key=lambda problem: (problem.pointer, problem.message))


def _without_charts(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same places, with a divider in the place of each chart."""
    blocks = payload.get("blocks")
    if not isinstance(blocks, list):
        return payload
    return {**payload, "blocks": [{"type": "divider"} if isinstance(b, dict) and b.get("type") == charts.TYPE else b for b in blocks]}
