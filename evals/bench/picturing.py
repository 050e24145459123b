"""The picture of the web page in the README: a real conversation with a served agent, in a real browser.

Needs playwright and a Chromium on the PATH: `python -m habitus.evals.bench.picturing page.png`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from habitus.evals.running import UsageError

if TYPE_CHECKING:
    from fastapi import FastAPI

USER = "maya"
BEFORE = (
    (40, "I can't stand crowded places, and I'm allergic to shellfish."),
    (24, "My parents live in Porto, and my mother loves jazz."),
)
"""What was said before, and how many days ago."""
NOW = ("What does my mother love?", "Where could I take my parents for dinner on Sunday?")
WIDTH, HEIGHT, SCALE = 1280, 980, 1.5


def take(path: Path) -> None:
    """Hold the conversation with a new agent, and write the page as it then stands as a PNG.

    Raises:
        UsageError: playwright or a Chromium is missing, or the path is of no PNG.
    """
    if path.suffix != ".png":
        raise UsageError(f"the picture is a PNG, so {str(path)!r} must end in .png")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise UsageError("there is no chromium on the PATH; on Debian: apt-get install chromium")
    try:
        from playwright.sync_api import expect, sync_playwright
    except ModuleNotFoundError as error:
        raise UsageError("pip install playwright") from error
    from habitus.agent import Agent
    from habitus.agent.server.app import create_app

    with tempfile.TemporaryDirectory() as folder, Agent.open(folder) as agent:
        today = datetime.now(UTC).replace(hour=9, minute=30)
        for days, text in BEFORE:
            agent.chat(USER, text, at=today - timedelta(days=days))
        with _served(create_app(agent)) as url, sync_playwright() as playwright:
            # Chromium refuses its sandbox to root.
            as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = playwright.chromium.launch(executable_path=chromium, args=as_root)
            page = browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHT},
                device_scale_factor=SCALE,
                color_scheme="light",
                locale="en-GB",
            )
            page.goto(url)
            page.get_by_label("User", exact=True).fill(USER)
            page.get_by_role("button", name="Switch").click()
            page.get_by_role("button", name="New conversation").click()
            for number, text in enumerate(NOW, start=1):
                page.get_by_label("Message", exact=True).fill(text)
                page.get_by_role("button", name="Send").click()
                expect(page.get_by_role("button", name="Good reply")).to_have_count(number, timeout=60_000)
            page.mouse.move(0, 0)
            path.parent.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=path, animations="disabled", caret="hide")
            browser.close()


@contextmanager
def _served(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port of loopback; gives its URL."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def main(path: Path) -> None:
    """Write the picture to PATH."""
    try:
        take(path)
    except UsageError as error:
        typer.echo(f"picturing: {error}", err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
