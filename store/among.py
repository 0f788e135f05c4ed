"""Ask for any number of texts by one parameter: unlike an IN list it leaves the statement as it is, so nothing is compiled anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement


def among(it: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Whether a text is one of those in the parameter `name`, which is `texts(...)`."""
    return it.op("IN", is_comparison=True)(_Texts(bindparam(name, type_=Text)))


def texts(items: Iterable[str]) -> str:
    return msgspec.json.encode(list(items)).decode()


class _Texts(FunctionElement[str]):
    """What a JSON array holds, as a subquery."""

    inherit_cache = True
    type = Text()


@compiles(_Texts, "sqlite")
def _(it: _Texts, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - the signature is SQLAlchemy's
    return f"(SELECT value FROM json_each({compiler.process(it.clauses, **options)}))"  # noqa: S608 - it is what SQLAlchemy compiled


@compiles(_Texts, "postgresql")
def _(it: _Texts, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - the signature is SQLAlchemy's
    return f"(SELECT json_array_elements_text(CAST({compiler.process(it.clauses, **options)} AS JSON)))"
