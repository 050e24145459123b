"""The agent: the one door to the graph, for one process and many users."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from habitus.agent.conversing import Conversing
from habitus.agent.generators.naming import generator_named
from habitus.agent.inputs import check_generator, extraction_model, instant
from habitus.agent.known import Known
from habitus.agent.settings import Settings
from habitus.agent.state import Recall, State
from habitus.memory.known.norms import DEFAULT_NORMS
from habitus.memory.records import Conversation, Norm
from habitus.memory.store import Progress
from habitus.memory.tokens import CountTokens

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from habitus.memory.storage.encryption import EncryptionKey
    from habitus.retrievers.encoder import Encoder


class Agent(Conversing, Known):
    """An agent that knows its users.

    `Agent.open(folder)` is the short way, on the embedded defaults; the constructor takes parts made
    elsewhere. Safe to use from several threads: turns of one user follow each other, turns of
    different users run side by side.

    In every method `user_id` says whose memory is meant and `at` when it happens: an aware instant, by
    default now. `session_id`, `turn_ids`, `preference_id`, `preference_ids` and `fact_ids` are ids of what is
    stored of that user.

    Args:
        store: where memory is kept; the agent closes it.
        generator: any LangChain chat model.
        settings: budgets and dials.
        norms: rules above all preferences.
        count_tokens: how budgets are counted, by default `estimate_tokens`; give `generator.get_num_tokens`
            where the model has a tokenizer of its own (LangChain's fallback downloads one).
        extractor: the chat model that reads turns where `settings.extraction` asks for one; by default the
            generator.

    Raises:
        InvalidInputError: a model is asked for and there is none, or one is given that would not be used.
    """

    @classmethod
    def open(
        cls,
        folder: str | Path | None = None,
        *,
        encoder: Encoder | None = None,
        generator: BaseChatModel | str | None = None,
        settings: Settings | None = None,
        norms: Sequence[Norm] = DEFAULT_NORMS,
        count_tokens: CountTokens | None = None,
        progress: Progress | None = None,
        extractor: BaseChatModel | None = None,
        key: EncryptionKey | str | None = None,
    ) -> Self:
        """Open an agent on a data folder or a database; use it as a context manager.

        Args:
            folder: made if it is not there; by default `habitus` in the user's data folder. Or the URL of a
                PostgreSQL database, `postgresql://USER:PASSWORD@HOST/DATABASE`, for any number of agents.
            encoder: by default all-MiniLM-L6-v2.
            generator: a LangChain chat model, or the name of one, see `generator_named`; by default
                `ExtractiveChat`, which needs no weights.
            settings: budgets and dials.
            norms: rules above all preferences.
            count_tokens: how budgets are counted; by default `estimate_tokens`.
            progress: called while a folder made with another encoder is re-embedded.
            extractor: the chat model that reads turns where `settings.extraction` asks for one; by default
                the generator.
            key: that the folder is, or a new one is to be, encrypted with: 64 hexadecimal digits (extra
                `encryption`).

        Raises:
            InvalidInputError: a part that cannot be used.
            EncryptionError: the key is missing or another, or the folder is not encrypted.
            GeneratorNameError: no generator can be made of the name.
            FolderInUseError: another process owns the folder.
            StoreUnreachableError: the database does not answer, or refuses.
            EncoderError: the default encoder's weights are not to be had.
            StoreCorruptError: the database cannot be read.
        """
        from habitus.agent.defaults import default_encoder, default_folder, default_generator
        from habitus.memory.opening import open_store

        encoder = encoder or default_encoder()
        ours = isinstance(generator, str)
        if isinstance(generator, str):
            generator = generator_named(generator)
        generator = generator or default_generator(encoder)
        check_generator(generator)
        extraction_model(extractor, generator, settings or Settings())
        chroma_url = settings.chroma_url if settings else None
        place = folder or default_folder()
        store = open_store(place, encoder, progress=progress, chroma_url=chroma_url, key=key)
        try:
            agent = cls(
                store=store,
                generator=generator,
                settings=settings,
                norms=norms,
                count_tokens=count_tokens,
                extractor=extractor,
            )
        except BaseException:
            store.close()
            raise
        agent._closes_generator = ours
        return agent

    def recall(
        self, user_id: str, text: str, *, at: datetime | None = None, context_tokens: int | None = None
    ) -> Recall:
        """Return what memory holds on a question, through the graph's own route and recall.

        Nothing is written. All of the user's sessions are searched, but for what was said after `at`.

        Args:
            user_id: whose memory.
            text: the question.
            at: when it is asked; by default now.
            context_tokens: the budget of the packed evidence; by default that of the settings.
        """
        self._check_open()
        return self._turns.recall(user_id, text, instant(at), context_tokens)

    def feedback(
        self,
        user_id: str,
        turn_id: str,
        *,
        rating: float | None = None,
        comment: str | None = None,
        edit: str | None = None,
        choice: tuple[str, Sequence[str]] | None = None,
        at: datetime | None = None,
    ) -> State:
        """Tell what the user made of a reply: exactly one of rating, comment, edit and choice.

        Args:
            user_id: the user.
            turn_id: `Reply.turn_id` of the reply.
            rating: -1 (bad) to 1 (good).
            comment: the user's words about it.
            edit: the reply as the user rewrote it.
            choice: the reply that was taken, and those that were not.
            at: when; by default now.

        Returns:
            the final state of the graph; `feedback_effect` says what changed and why.

        Raises:
            NotFoundError: the user has no such reply.
            InvalidInputError: none or several of the four, or a value out of range.
        """
        self._check_open()
        return self._turns.feedback(
            user_id, turn_id, instant(at), rating=rating, comment=comment, edit=edit, choice=choice
        )

    def undo_feedback(self, user_id: str, feedback_id: str, *, at: datetime | None = None) -> State:
        """Take feedback back: preferences, corrections, weights and persona are as if it had not been given.

        Args:
            user_id: the user.
            feedback_id: the id of a stored feedback, `final["feedback"].id` of what `feedback` returned.
            at: when; by default now.

        Returns:
            the final state of the graph; `feedback_effect` says what changed.

        Raises:
            NotFoundError: the user gave no such feedback.
            InvalidInputError: it was taken back already.
        """
        self._check_open()
        return self._turns.undo_feedback(user_id, feedback_id, instant(at))

    def end_session(self, user_id: str, session_id: str) -> None:
        """Consolidate a session into long-term memory now, rather than after the idle gap.

        Raises:
            NotFoundError: the user has no such session.
        """
        self._check_open()
        self._turns.end_session(user_id, session_id)

    def ingest(
        self,
        user_id: str,
        conversations: Iterable[Conversation],
        *,
        learn: bool = True,
        progress: Progress | bool = False,
    ) -> int:
        """Bring in whole conversations from elsewhere; they go straight into long-term memory.

        A conversation that is already stored is left as it is, so the same call can be repeated after
        an interruption. Conversations are read in time order.

        Args:
            user_id: whose conversations.
            conversations: each with its id, date and messages.
            learn: also take preferences and facts from the user's messages.
            progress: True shows a bar on stderr; a function is called with (messages done, messages in all).

        Returns:
            the number of messages stored.
        """
        self._check_open()
        return self._ingester.ingest(user_id, conversations, learn=learn, progress=progress)
