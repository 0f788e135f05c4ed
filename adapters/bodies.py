"""A body from outside, of a request or of an answer: as long as it may be and no longer."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request


async def whole_body(request: Request, longest_bytes: int) -> bytes | None:
    """Return the body of a request, as `whole`; None also where it says itself that it is too long.

    Raises starlette's ClientDisconnect when it breaks off.
    """
    told = request.headers.get("Content-Length", "")
    if told.isdecimal() and int(told[:20]) > longest_bytes:
        return None
    return await whole(request.stream(), longest_bytes)


async def whole(chunks: AsyncIterable[bytes], longest_bytes: int) -> bytes | None:
    """Put a body together; None when it is too long, without having read it to its end."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > longest_bytes:
            return None
    return bytes(body)
