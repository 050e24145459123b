"""The official words are taken out of a clone; the clone here is of its form, in words of our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from habitus.evals.adherence.prompts import OWN_PROMPTS, listed, official_prompts
from habitus.evals.running import UsageError

CLONE = {
    "utils/common_utils.py": 'import not_there\nREMINDER = " Remember!"\nCOT_PROMPT = """Think. """\n',
    "utils/explicit_utils.py": (
        "def convert_top_k_sentences_to_msg(top):\n    return 'Found: ' + '; '.join(top) + '. '\n"
    ),
    "utils/utils_mcq.py": (
        "raise SystemExit('only functions are taken')\n"
        "def get_mcq_question_format(options):\n    return ' Pick: ' + format_options(options)\n"
        "def format_options(options):\n    return '/'.join(options)\n"
    ),
    "generation_task/baselines_handling.py": (
        "def handle(question):\n    critic_request = 'Criticise.'\n"
        "    revision_request = f'Again: {question}!'\n    return other(question)\n"
    ),
}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name, text in CLONE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_official_words_are_those_of_the_clone(clone: Path) -> None:
    found = official_prompts(clone)
    assert found.remind("Tea?") == "Tea? Remember!"
    assert found.think("Tea?") == "Think. Tea?"
    assert (found.critique, found.revise("Tea?")) == ("Criticise.", "Again: Tea?!")
    assert found.with_found([("user", "green"), ("assistant", "mint")], "Tea?") == (
        "Found: User: green; Assistant: mint. Tea?"
    )
    assert found.choose(["a", "b"]) == " Pick: a/b"
    assert set(found.texts) == set(OWN_PROMPTS.texts)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("utils/common_utils.py", "REMINDER = 3\nCOT_PROMPT = ''", "REMINDER of common_utils.py is no text"),
        ("utils/common_utils.py", "REMINDER = ''", "holds no COT_PROMPT"),
        ("utils/utils_mcq.py", "def format_options(o): ...", "lacks one of the functions"),
        (
            "generation_task/baselines_handling.py",
            "critic_request = 'c'\nrevision_request = f'{open(question)}'",
            "no text with a question",
        ),
        ("utils/explicit_utils.py", "def (", "invalid syntax"),
    ],
)
def test_a_clone_of_another_form_is_refused(clone: Path, name: str, text: str, problem: str) -> None:
    (clone / name).write_text(text)
    with pytest.raises(UsageError, match=rf"{problem}.*clone of PrefEval"):
        official_prompts(clone)


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="clone of PrefEval"):
        official_prompts(tmp_path)


def test_our_own_words_hold_the_question_and_the_options() -> None:
    assert listed(["tea", "milk"]) == "A. tea\nB. milk"
    assert "A. tea\nB. milk" in OWN_PROMPTS.choose(["tea", "milk"])
    assert OWN_PROMPTS.revise("Tea?").endswith("Tea?")
    assert "- user: green" in OWN_PROMPTS.with_found([("user", "green")], "Tea?")
