"""What the arms add to a question: in our own words, or the official ones out of a clone of the benchmark."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from habitus.evals.adherence.samples import LETTERS, Message
from habitus.evals.running import UsageError

TOP_K = 5
MAX_WORDS = 300
_REMINDER = (
    "\n\nBefore you answer, think of what I told you earlier in this conversation, and see to it that your "
    "answer fits what I like and dislike."
)
_THINK = (
    "Answer the question at the end. First think step by step, in two or three sentences: what have I told "
    "you or shown about my tastes, needs and limits that bears on this question, and what does it rule out? "
    "Then answer, and suggest nothing that it rules out.\n\n"
    "Example. Earlier: a user mentioned that their old knees hate stairs. Question: “Where could I take my "
    "sister for a view of the harbour?”\n"
    "Thoughts: Stairs are hard on this user, so towers and steep lanes are out; a view is wanted all the "
    "same. Answer: The promenade by the ferry landing is level and looks over the whole harbour; the lift of "
    "the old warehouse takes you to its terrace.\n\n"
    "Example. Earlier: a user picked the plainest of four notebooks and called the others fussy. Question: "
    "“What could I write my diary in?”\n"
    "Thoughts: This user wants plain things, so patterned or gilt covers are out. Answer: A clothbound book "
    "in one colour, unlined, is as plain as they come.\n\nQuestion: "
)
_CRITIQUE = (
    "Look again at your last answer. Does it keep to every preference that I stated or showed earlier in our "
    "conversation and that bears on this question? Say in two sentences what keeps to them and what does "
    "not.\n\n"
    "Example. Preference: cannot bear perfume. Answer: “A bath oil and scented candles.” Critique: "
    "Both gifts are scented, which goes against what the user said. A towel or a book would have kept to "
    "it.\n"
    "Example. Preference: likes short walks. Answer: “The path round the pond, half an hour.” Critique: "
    "The walk is short, as the user likes it. Nothing in it goes against the preference.\n\nCritique:"
)
_REVISE = (
    "Now write your answer to my question again, so that it keeps to my preferences as your critique "
    "demands. Give the new answer only, without the critique. My question was: {question}"
)
_FOUND = (
    "These messages of our earlier conversations are the nearest to my question. Some may tell what I "
    "prefer, others may have nothing to do with it.\n\n{found}\n\nWith them in mind, answer "
    "my question: {question}"
)
_CHOOSE = (
    "\n\nThese are my options:\n{options}\n\nWhich one suits me best? Answer with its letter between tags "
    "and nothing else, such as <choice>{letter}</choice>. Choose one of them in any case."
)
_OFFICIAL_CONSTANTS = ("REMINDER", "COT_PROMPT")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmPrompts:
    """The words of the arms.

    Attributes:
        name: for the manifest.
        texts: all of them; for the manifest.
        remind: a question with a reminder of earlier preferences.
        think: a question to be answered step by step, with examples.
        critique: the request to criticise the last answer.
        revise: the request to answer a question again after the critique.
        with_found: a question and the messages found for it.
        choose: the request to choose among options.
    """

    name: str
    texts: Mapping[str, str]
    remind: Callable[[str], str]
    think: Callable[[str], str]
    critique: str
    revise: Callable[[str], str]
    with_found: Callable[[Sequence[Message], str], str]
    choose: Callable[[Sequence[str]], str]

    def in_words(self, question: str) -> str:
        """Return a question that says how long its answer may be."""
        return f"{question} (At most {MAX_WORDS} words, please.)"


def listed(options: Sequence[str]) -> str:
    """Return options as lines, each with its letter."""
    return "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))


def _found(messages: Sequence[Message], question: str) -> str:
    found = "\n".join(f"- {role}: {text}" for role, text in messages)
    return _FOUND.format(found=found, question=question)


OWN_PROMPTS = ArmPrompts(
    name="own",
    texts={
        "reminder": _REMINDER,
        "chain of thought": _THINK,
        "critique": _CRITIQUE,
        "revise": _REVISE,
        "found": _FOUND,
        "choose": _CHOOSE,
    },
    remind=lambda question: question + _REMINDER,
    think=lambda question: _THINK + question,
    critique=_CRITIQUE,
    revise=lambda question: _REVISE.format(question=question),
    with_found=_found,
    choose=lambda options: _CHOOSE.format(options=listed(options), letter=LETTERS[0]),
)


def official_prompts(clone: Path) -> ArmPrompts:
    """Return the official words of the arms, from a clone of the benchmark.

    Of `utils/common_utils.py`, `utils/utils_mcq.py`, `utils/explicit_utils.py` and
    `generation_task/baselines_handling.py` only two constants, two texts and three functions that make texts
    are taken; nothing else of these files is run.

    Args:
        clone: folder of amazon-science/PrefEval.

    Raises:
        UsageError: the clone holds no such files, or they are of another form.
    """
    try:
        common = _Source(clone / "utils" / "common_utils.py")
        critic = _Source(clone / "generation_task" / "baselines_handling.py")
        reminder, thoughts = (common.text(name) for name in _OFFICIAL_CONSTANTS)
        critique, revision = critic.text("critic_request"), critic.expression("revision_request")
        format_found = _Source(clone / "utils" / "explicit_utils.py").functions(
            "convert_top_k_sentences_to_msg"
        )["convert_top_k_sentences_to_msg"]
        choosing = _Source(clone / "utils" / "utils_mcq.py").functions(
            "format_options", "get_mcq_question_format"
        )["get_mcq_question_format"]
    except (OSError, SyntaxError, LookupError) as error:
        raise UsageError(f"{error}; give the folder of a clone of PrefEval") from None

    def with_found(messages: Sequence[Message], question: str) -> str:
        return str(format_found([f"{role.capitalize()}: {text}" for role, text in messages])) + question

    return ArmPrompts(
        name="official",
        texts={
            "reminder": reminder,
            "chain of thought": thoughts,
            "critique": critique,
            "revise": revision("{question}"),
            "found": with_found([], "{question}"),
            "choose": str(choosing(["{option}"])),
        },
        remind=lambda question: question + reminder,
        think=lambda question: thoughts + question,
        critique=critique,
        revise=revision,
        with_found=with_found,
        choose=lambda options: str(choosing(list(options))),
    )


class _Source:
    """A script that is read, and of which single pieces are evaluated."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tree = ast.parse(path.read_text(encoding="utf-8"))

    def text(self, name: str) -> str:
        """Return the text assigned to a name."""
        value = self._assigned(name)
        if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
            raise LookupError(f"{name} of {self._path.name} is no text")
        return value.value

    def expression(self, name: str) -> Callable[[str], str]:
        """Return the formatted text assigned to a name, a function of `question`, which alone it may use."""
        value = self._assigned(name)
        names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
        if not isinstance(value, ast.JoinedStr) or names != {"question"}:
            raise LookupError(f"{name} of {self._path.name} is no text with a question")
        code = compile(ast.Expression(value), str(self._path), "eval")
        return lambda question: str(eval(code, {"__builtins__": {}}, {"question": question}))

    def functions(self, *names: str) -> dict[str, Any]:
        """Return functions, which see one another and nothing else of the script."""
        found = [node for node in self._tree.body if isinstance(node, ast.FunctionDef) and node.name in names]
        if len(found) != len(names):
            raise LookupError(f"{self._path.name} lacks one of the functions {', '.join(names)}")
        scope: dict[str, Any] = {}
        exec(compile(ast.Module(list(found), []), str(self._path), "exec"), scope)
        return scope

    def _assigned(self, name: str) -> ast.expr:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == name for target in node.targets
            ):
                return node.value
        raise LookupError(f"{self._path.name} holds no {name}")
