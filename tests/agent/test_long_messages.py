"""Messages made to take long: what reads them takes time in proportion to their length, not to its square.

Each runs in a process of its own that is ended after so much processor time as only a square would need.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("resource", reason="processor time is bounded on POSIX alone")

N_CHARS = 100_000
CPU_SECONDS = 60
READ = {
    "extract": """
        from datetime import UTC, datetime
        from habitus.memory.extraction import extract
        from habitus.memory.records import Turn
        extract(Turn(user_id="u", session_id="s", index=0, role="user", text=text, at=datetime.now(UTC)))
    """,
    "route": """
        from habitus.agent.routing import find_command, find_routes
        find_routes(text, command=find_command(text), is_feedback=False)
    """,
    "question": """
        from datetime import UTC, datetime
        from habitus.agent.generators.extractive.asked import read
        from habitus.memory.retrieval.question import read_question
        for asked in (text, "how many days between " + text, "what is the order of " + text):
            read(asked, datetime.now(UTC))
            read_question(asked, datetime.now(UTC))
    """,
    "prompt": """
        from habitus.agent.prompting.delimiting import as_data, one_line
        one_line(text + "\\n" + text)
        as_data(text)
    """,
}
UNITS = {
    "spaces": " ",
    "no-break spaces": "\u00a0",
    "lines": " \n",
    "quotes": '"',
    "apostrophes": "'",
    "conditions": "if i ",
    "likings": "I like a and ",
    "spans": "between ",
    "commas": "a, ",
    "brackets": "(",
    "tags": "</",
    "numbers": "1 ",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", READ)
def test_a_message_made_to_take_long_is_read(name: str) -> None:
    code = (
        f"import resource\nresource.setrlimit(resource.RLIMIT_CPU, ({CPU_SECONDS}, {CPU_SECONDS}))\n"
        f"for unit in {list(UNITS.values())!r}:\n"
        f"    text = 'x' + unit * ({N_CHARS} // len(unit)) + 'x?'\n"
        + textwrap.indent(textwrap.dedent(READ[name]), "    ")
    )
    subprocess.run([sys.executable, "-c", code], check=True)
