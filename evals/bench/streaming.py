"""What a server costs that only streams: the floor that the agent's own server is measured against."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Body, FastAPI
from fastapi.responses import StreamingResponse
from langchain_core.language_models import BaseChatModel


def bare_app(model: BaseChatModel) -> FastAPI:
    """Return an application that hands a chat model's pieces on in OpenAI's stream, and does nothing else.

    Nobody is known, nothing is remembered; the model is asked on the event loop, without a thread.
    """
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False})

    @app.post("/v1/chat/completions")
    async def chat(asked: Annotated[dict[str, Any], Body()]) -> StreamingResponse:
        async def events() -> AsyncIterator[str]:
            async for chunk in model.astream(asked["messages"]):
                event = {"choices": [{"index": 0, "delta": {"content": chunk.text}}]}
                yield f"data: {json.dumps(event, separators=(',', ':'))}\n\n"
            yield "data: [DONE]\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    return app
