"""The default generator: no weights, no invention. It sees the prompt, never the store."""

from __future__ import annotations

from langchain_core.messages import BaseMessage
from pydantic import ConfigDict, SkipValidation

from habitus.agent.generators.extractive import dates
from habitus.agent.generators.extractive.asked import Asked, read
from habitus.agent.generators.extractive.choosing import FITTED, Calibration, Evidence, Found
from habitus.agent.generators.extractive.counting import counted
from habitus.agent.generators.extractive.describing import describe
from habitus.agent.generators.extractive.evidence import said_in
from habitus.agent.generators.extractive.facts import count, fact
from habitus.agent.generators.extractive.honouring import honour, is_about_the_world
from habitus.agent.generators.extractive.preferring import preferred
from habitus.agent.generators.extractive.reckoning import reckon
from habitus.agent.generators.extractive.wording import quoted
from habitus.agent.generators.whole import WholeReplyChat
from habitus.agent.prompting.prompt import PromptParts, parse
from habitus.agent.routing import find_command, find_routes
from habitus.memory.known.slots import Slot, asked_for, tells
from habitus.retrievers.encoder import Encoder

UNKNOWN = "I don't know from our conversations."


class ExtractiveChat(WholeReplyChat):
    """A chat model without a language model.

    Questions to memory are answered from the evidence in the prompt: the shortest sufficient quotation
    with its day, the newest state after an update, counts, and reckoning with days; when the evidence is
    not enough it says so. Questions about the user as a whole are answered from the profile, requests by
    naming the preferences that a good answer must honour.

    Attributes:
        encoder: measures how near a sentence comes to the question.
        caution: added to the log-odds that the evidence does not hold an answer; higher declines more.
        calibration: the fitted weights.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    encoder: SkipValidation[Encoder]
    caution: float = 0.0
    calibration: SkipValidation[Calibration] = FITTED

    @property
    def _llm_type(self) -> str:
        return "habitus-extractive"

    def reply_to(self, messages: list[BaseMessage]) -> str:
        parts = parse(messages)
        routes = find_routes(parts.text, command=find_command(parts.text), is_feedback=False)
        said: list[str] = []
        if "extraction" in routes:
            said.append(self._recall(parts) or UNKNOWN)
        if "abstraction" in routes:
            said.append(describe(parts, self.encoder))
        if "generalization" in routes and not said:
            said.append(self._request(parts))
        return "\n\n".join(said) or ("Noted." if "statement" in routes else "All right.")

    def _request(self, parts: PromptParts) -> str:
        """Answer what is not plainly a question to memory, but may be one ("Which came first, ...?")."""
        if is_about_the_world(parts.text) and (answer := self._recall(parts)):
            return answer
        asked, _, found = self.weighed(parts)
        return honour(parts, asked, found)

    def _recall(self, parts: PromptParts) -> str | None:
        if (taste := preferred(parts)) is not None:
            return taste
        asked, evidence, found = self.weighed(parts)
        sure = evidence.confidence(asked, found) >= self.caution
        if (
            (slot := asked_for(asked.text))
            and asked.kind == "fact"
            and not (asked.earlier or asked.about_replies)
        ):
            return self._told_of(slot, asked, evidence, found if sure else [])
        if asked.kind == "count" and (number := counted(asked, evidence.said)) is not None:
            return number
        return self._reckoned(parts, asked, evidence, found) if sure else None

    def _reckoned(self, parts: PromptParts, asked: Asked, evidence: Evidence, found: list[Found]) -> str:
        today = parts.at.date() if parts.at else None
        answer = reckon(asked, evidence)
        if answer is not None:
            return answer
        if asked.kind == "ago":
            answer = dates.ago(asked, found, evidence, today)
        elif asked.kind == "between":
            answer = dates.between(asked, evidence)
        elif asked.kind == "first":
            answer = dates.first(asked, evidence)
        elif asked.kind == "order":
            answer = dates.order(asked, found, evidence)
        elif asked.kind == "count":
            answer = count(asked, found, evidence)
        return answer or fact(asked, found, evidence)

    def _told_of(self, slot: Slot, asked: Asked, evidence: Evidence, found: list[Found]) -> str | None:
        """Answer from the newest sentence that tells what is asked for of the user, in whatever words.

        Where none tells it in so many words, what `found` puts first counts, if it tells of the user.
        """
        own = [(place, one) for place, one in enumerate(evidence.said) if one.by_user]
        own.sort(key=lambda one: one[1].when)
        texts = [one.text for _, one in own]
        told = [own[place][0] for place in tells(slot, texts, self.encoder)]
        if not tells(slot, texts, None):
            best = evidence.versions(found, asked)[0] if found else None
            if best is not None and best.place not in told and evidence.bears(best, asked):
                return quoted(best.said, asked)
        return quoted(evidence.said[told[-1]], asked) if told else None

    def weighed(self, parts: PromptParts) -> tuple[Asked, Evidence, list[Found]]:
        """Return the question in the `parts` of a prompt as read, and what may answer it, best first.

        The assistant's words are evidence only where the question asks for them: it may have been wrong
        about the user.
        """
        asked = read(parts.text, parts.at)
        said = [one for one in said_in(parts) if one.by_user or asked.about_replies]
        said = [one for one in said if not asked.is_repeated_by(one.text)]
        evidence = Evidence(said, self.encoder, self.calibration)
        return asked, evidence, evidence.found(asked)
