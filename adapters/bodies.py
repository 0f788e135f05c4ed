"""The body of a request from outside, as long as it may be and no longer."""

from __future__ import annotations

from starlette.requests import Request


async def whole_body(request: Request, longest_bytes: int) -> bytes | None:
    """Return the body; None when it is too long, whether it says so or not, without having read it to its end.

    Raises starlette's ClientDisconnect when it breaks off.
    """
    told = request.headers.get("Content-Length", "")
    if told.isdecimal() and int(told[:20]) > longest_bytes:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > longest_bytes:
            return None
    return bytes(body)
