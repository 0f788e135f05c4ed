"""A client of an invented tenant whose answers each test writes down, and the recorded exchanges."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import respx
import stamina

from adapters.qualtrics.client import QualtricsClient
from adapters.qualtrics.credentials import ApiToken

SAMPLES = Path(__file__).parents[2] / "samples" / "qualtrics"


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.fixture
def token() -> str:
    return "canary-token-7f3a"


@pytest.fixture
def api() -> Iterator[respx.Router]:
    """The network: requests no route was written for fail the test."""
    with respx.mock(assert_all_called=True) as router:
        yield router


@pytest.fixture
async def client(token: str) -> AsyncIterator[QualtricsClient]:
    async with QualtricsClient("https://co1.qualtrics.com/API/v3/", ApiToken(token)) as it:
        yield it


@pytest.fixture
def sample() -> Callable[[str], Any]:
    def read(name: str) -> Any:
        return json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))

    return read
