"""What a person fills into a modal: the state that Slack sends of it, and what Slack itself says is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adapters.sandbox.slack.payloads import option
from adapters.sandbox.slack.records import Json

#: What is typed or chosen, by action id: text, or the value of an option, or several.
Typed = Mapping[str, str | list[str]]

#: How each kind of element reports one choice, and where it finds what was chosen before.
_ONE = {
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
}
_MANY = {
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}
_ONE_OPTION = frozenset({"static_select", "radio_buttons"})
_OPTIONS = frozenset({"checkboxes", "multi_static_select"})


class IncompleteForm(ValueError):
    """Slack does not submit it, and says why at each field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        #: By block id.
        self.errors = dict(errors)


def state(view: Json, typed: Typed) -> Json:
    """The `state.values` of a view (https://docs.slack.dev/reference/views). Raises LookupError for a field that is not there."""
    fields = dict(_fields(view))
    if unknown := typed.keys() - {element["action_id"] for element in fields.values()}:
        raise LookupError(f"no field {min(unknown)}")
    return {block_id: {element["action_id"]: _value(element, typed)} for block_id, element in fields.items()}


def require_complete(view: Json, values: Json) -> None:
    """Raises IncompleteForm as Slack's own window would refuse to submit."""
    errors: dict[str, str] = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        said = next(value for key, value in values[block["block_id"]][element["action_id"]].items() if key != "type")
        if not said and not block.get("optional"):
            errors[block["block_id"]] = "Please complete this required field."
        elif said and len(said) < element.get("min_length", 0):
            errors[block["block_id"]] = f"Please enter at least {element['min_length']} characters."
        elif said and "max_length" in element and len(said) > element["max_length"]:
            errors[block["block_id"]] = f"Please enter at most {element['max_length']} characters."
    if errors:
        raise IncompleteForm(errors)


def _fields(view: Json) -> Iterator[tuple[str, Json]]:
    for block in view["blocks"]:
        if block["type"] == "input":
            yield block["block_id"], block["element"]


def _value(element: Json, typed: Typed) -> Json:
    kind, given = element["type"], typed.get(element["action_id"])
    if kind in _ONE_OPTION:
        chosen = element.get("initial_option") if given is None else option(element, str(given)) if given else None
        return {"type": kind, "selected_option": chosen}
    if kind in _OPTIONS:
        options = element.get("initial_options", []) if given is None else [option(element, one) for one in _list(given)]
        return {"type": kind, "selected_options": options}
    if kind in _MANY:
        initial = element.get(f"initial_{_MANY[kind].removeprefix('selected_')}", [])
        return {"type": kind, _MANY[kind]: initial if given is None else _list(given)}
    key = _ONE.get(kind, "value")
    initial = element.get("initial_value" if key == "value" else f"initial_{key.removeprefix('selected_')}")
    return {"type": kind, key: (initial if given is None else given) or None}


def _list(given: str | list[str]) -> list[str]:
    return given if isinstance(given, list) else [given] if given else []
