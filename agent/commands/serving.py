"""`habitus serve` and `habitus keys`."""

from __future__ import annotations

import logging
import signal
from contextlib import nullcontext
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from habitus.agent.commands.options import AsJson, GeneratorName, Place, data_folder, opened, show_json
from habitus.agent.errors import AgentError, ExtraMissingError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from habitus.agent.server.keys import ApiKey, KeyRing

keys_app = typer.Typer(help="Make, list and revoke the API keys of a server.", no_args_is_help=True)


class ExposedError(AgentError, ValueError):
    """A server would answer anybody who reaches it."""


def serve(
    folder: Place = None,
    generator: GeneratorName = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option(help="0 takes a free one.", min=0, max=65535, show_default="8718")
    ] = None,
    per_minute: Annotated[
        int | None, typer.Option(help="Requests of one caller; 0 is no limit.", min=0, show_default="0")
    ] = None,
    max_body_mb: Annotated[int | None, typer.Option(help="Of one request.", min=1, show_default="8")] = None,
    cors: Annotated[list[str] | None, typer.Option(help="An origin that may call from a browser.")] = None,
    metrics: Annotated[
        bool | None, typer.Option("--metrics/--no-metrics", help="Serve Prometheus metrics at /metrics.")
    ] = None,
    traces: Annotated[
        bool | None,
        typer.Option("--traces/--no-traces", help="Send OpenTelemetry spans to OTEL_EXPORTER_OTLP_ENDPOINT."),
    ] = None,
    page: Annotated[bool | None, typer.Option("--page/--no-page", help="Serve the web page at /.")] = None,
) -> None:
    """Serve the agent over HTTP: the OpenAI chat protocol, REST for memory, and a web page.

    Once a key is made with `habitus keys add`, every request needs one. Without keys the server
    answers on loopback only.
    """
    try:
        import uvicorn  # noqa: F401

        from habitus.agent.server.app import ServerOptions, create_app
        from habitus.agent.server.keys import FILE, KeyRing
        from habitus.agent.server.tracing import exporting
    except ModuleNotFoundError as error:
        raise ExtraMissingError("serve", error) from error
    from habitus.agent.configuration import ServeConfiguration, load

    given = {"host": host, "port": port, "per_minute": per_minute, "max_body_mb": max_body_mb, "cors": cors}
    given |= {"metrics": metrics, "traces": traces, "page": page}
    wanted = {name: value for name, value in given.items() if value is not None}
    how = ServeConfiguration.model_validate({**load().serve.model_dump(), **wanted})
    keys = data_folder(folder) / FILE
    ring = KeyRing(keys)
    if not len(ring) and how.host not in ("127.0.0.1", "::1", "localhost"):
        raise ExposedError(
            f"{how.host} can be reached from other machines, and there is no key: "
            "make one with `habitus keys add --user NAME`, or listen on 127.0.0.1"
        )
    options = ServerOptions(
        keys=ring if len(ring) else None,
        per_minute=how.per_minute,
        max_body_bytes=how.max_body_mb * 2**20,
        cors=how.cors,
        metrics=how.metrics,
        page=how.page,
        traces=how.traces,
    )
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with (
        exporting() if how.traces else nullcontext(),
        opened(folder, create=True, generator=generator, traces=how.traces) as agent,
    ):
        run_until_told(create_app(agent, options), how.host, how.port)


def run_until_told(app: FastAPI, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; accepted requests are answered first, for up to a minute."""
    import uvicorn

    def heard(number: int, frame: FrameType | None) -> None:
        """Do nothing: uvicorn raises the signal again at its end, when the agent is still to be closed."""

    before = signal.signal(signal.SIGTERM, heard)
    try:
        uvicorn.run(app, host=host, port=port, access_log=False, timeout_graceful_shutdown=60)
    finally:
        signal.signal(signal.SIGTERM, before)


@keys_app.command("add")
def add(
    user: Annotated[str | None, typer.Option(help="The one user it acts for.")] = None,
    tenant: Annotated[str | None, typer.Option(help="The tenant for whose users it acts.")] = None,
    folder: Place = None,
    as_json: AsJson = False,
) -> None:
    """Make a key for a user or a tenant. It is printed this once; only its hash is kept."""
    if (user is None) == (tenant is None):
        raise typer.BadParameter("give --user or --tenant")
    key, secret = _ring(folder).add(user_id=user, tenant=tenant)
    if not show_json({"id": key.id, "user": user, "tenant": tenant, "key": secret}, as_json):
        typer.echo(f"{secret}\nacts for {_owner(key)}; its id is {key.id}")


@keys_app.command("list")
def show(folder: Place = None, as_json: AsJson = False) -> None:
    """List keys by id, never the keys themselves."""
    keys = _ring(folder).keys
    if show_json([key.model_dump(mode="json", exclude={"sha256"}) for key in keys], as_json):
        return
    for key in keys:
        typer.echo(f"{key.id}  {_owner(key)}")


@keys_app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="As `list` shows it.")],
    folder: Place = None,
    as_json: AsJson = False,
) -> None:
    """Take a key back; a running server takes notice at once."""
    if not _ring(folder).revoke(key_id):
        raise typer.BadParameter(f"there is no key {key_id!r}")
    if not show_json({"revoked": key_id}, as_json):
        typer.echo(f"Revoked {key_id}.")


def _owner(key: ApiKey) -> str:
    return f"user {key.user_id!r}" if key.user_id is not None else f"the users of tenant {key.tenant!r}"


def _ring(folder: str | None) -> KeyRing:
    from habitus.agent.server.keys import FILE, KeyRing

    return KeyRing(data_folder(folder) / FILE)
