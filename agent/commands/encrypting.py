"""`habitus memory encrypt`, `decrypt`, `rekey` and `new-key`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from habitus.agent.commands.options import AsJson, Place, console, embedded_folder, show_json

if TYPE_CHECKING:
    from habitus.memory.storage.encryption import EncryptionKey

encrypting_app = typer.Typer()

_INSTEAD = "a database is encrypted by the disk of its server; keys are for data folders"


@encrypting_app.command("new-key")
def new_key(
    file: Annotated[
        Path, typer.Argument(help="File to make; keep it apart from the folder and its backups.")
    ],
    as_json: AsJson = False,
) -> None:
    """Make a key in a file that only you may read. Without it nobody reads what it encrypts, you neither."""
    from habitus.memory.storage.encryption import EncryptionKey

    EncryptionKey.make(file)
    if not show_json({"key_file": str(file)}, as_json):
        console().print(
            f"Made a key in {file}. Keep a copy of it elsewhere; HABITUS_KEY_FILE={file} puts it to use.",
            markup=False,
        )


@encrypting_app.command()
def encrypt(folder: Place = None, as_json: AsJson = False) -> None:
    """Encrypt a data folder with the configured key (HABITUS_KEY_FILE or HABITUS_KEY); nobody may use it.

    Killed at any moment, it leaves the folder as it was, or encrypted. The plain file is overwritten, but a
    solid-state disk and earlier backups may keep old bytes: start encrypted where that matters.
    """
    _recrypt(folder, None, _configured(), "Encrypted", as_json)


@encrypting_app.command()
def decrypt(folder: Place = None, as_json: AsJson = False) -> None:
    """Make a plain data folder of an encrypted one, which the configured key opens; nobody may use it."""
    _recrypt(folder, _configured(), None, "Decrypted", as_json)


@encrypting_app.command()
def rekey(
    new_key_file: Annotated[Path, typer.Option(help="Holds the new key; `new-key` makes one.")],
    folder: Place = None,
    as_json: AsJson = False,
) -> None:
    """Give a folder that the configured key opens another key. Earlier backups keep theirs."""
    from habitus.memory.storage.encryption import EncryptionKey

    _recrypt(folder, _configured(), EncryptionKey.read(new_key_file), "Rewrote", as_json)


def _configured() -> EncryptionKey:
    from habitus.agent.configuration import load
    from habitus.memory.errors import EncryptionError

    key = load().encryption_key()
    if key is None:
        raise EncryptionError(
            "no key is set: make one with `habitus memory new-key FILE`, then set HABITUS_KEY_FILE=FILE"
        )
    return key


def _recrypt(
    place: str | None, old: EncryptionKey | None, new: EncryptionKey | None, did: str, as_json: bool
) -> None:
    from habitus.agent.configuration import load
    from habitus.memory.storage.recrypting import recrypt

    folder = embedded_folder(place, instead=_INSTEAD)
    n_turns = recrypt(folder, old=old, new=new, chroma_url=load().settings.chroma_url)
    if not show_json({"folder": str(folder), "n_turns": n_turns, "encrypted": new is not None}, as_json):
        console().print(f"{did} {folder}: {n_turns} messages, all compared.", markup=False)
