import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Timer

import pytest

from habitus.agent import (
    Agent,
    ClosedError,
    Conversation,
    GeneratorError,
    Message,
    PromptTooLongError,
    Reply,
    ScriptedChat,
    Settings,
)
from habitus.memory.errors import FolderInUseError, InvalidInputError, NotFoundError
from habitus.retrievers.encoder import HashingEncoder

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def texts(agent: Agent, user: str = "maya") -> list[str]:
    return [turn.text for turn in agent.memories(user)]


def test_a_turn_is_stored_verbatim_with_its_reply(agent: Agent) -> None:
    reply = agent.chat("maya", "  I moved to Ghent.\n", at=MONDAY)
    assert texts(agent) == ["  I moved to Ghent.\n", reply.text]
    assert [(t.role, t.index, t.at) for t in agent.memories("maya")] == [
        ("user", 0, MONDAY),
        ("assistant", 1, MONDAY),
    ]


def test_a_preference_stated_in_one_session_is_applied_in_another(agent: Agent) -> None:
    first = agent.chat("maya", "I can't stand crowded places.", at=MONDAY)
    assert [p.stance for p in first.preferences] == ["dislike"]
    later = agent.chat("maya", "Can you suggest places to go on Sunday, crowded or not?", at=MONDAY + DAY)
    assert later.session_id != first.session_id
    assert "crowded places" in " ".join(one.preference.statement for one in later.applied)
    assert "crowded places" in later.text


def test_a_question_is_answered_from_an_earlier_session_with_its_date(agent: Agent) -> None:
    agent.chat("maya", "My bicycle is parked behind the library.", at=MONDAY)
    reply = agent.chat("maya", "Where is my bicycle parked?", at=MONDAY + 9 * DAY)
    assert "behind the library" in reply.text
    assert "2 March 2026" in reply.text
    assert "On 2" in reply.text


def test_what_was_corrected_is_told_in_its_newest_state(agent: Agent) -> None:
    agent.chat("maya", "Hi! My name is Maya, I live in Lisbon.", at=MONDAY)
    agent.chat("maya", "Correction: I live in Porto.", at=MONDAY + DAY)
    for days in (1, 20):
        at = MONDAY + days * DAY + timedelta(minutes=5)
        memories = str(agent.prepare("maya", "Where do I live now?", at=at).messages[-1].content)
        assert "User: (earlier; newer on 2026-03-03) Hi! My name is Maya, I live in Lisbon." in memories
        assert "Porto" in agent.chat("maya", "Where do I live now?", at=at).text


def test_a_question_is_no_answer_to_itself(agent: Agent) -> None:
    agent.chat("maya", "My bicycle is parked behind the library.", at=MONDAY)
    agent.chat("maya", "What am I allergic to?", at=MONDAY)
    reply = agent.chat("maya", "What am I allergic to?", at=MONDAY + DAY)
    assert "allergic" not in reply.text


def test_a_question_is_answered_from_the_same_session(agent: Agent) -> None:
    agent.chat("maya", "My bicycle is parked behind the library.", at=MONDAY)
    assert "behind the library" in agent.chat("maya", "Where is my bicycle parked?", at=MONDAY).text


def test_what_memory_does_not_hold_is_not_invented(agent: Agent) -> None:
    agent.chat("maya", "My bicycle is parked behind the library.", at=MONDAY)
    reply = agent.chat("maya", "What did my dentist prescribe?", at=MONDAY + DAY)
    assert "don't know" in reply.text


def test_users_do_not_see_each_other(agent: Agent) -> None:
    agent.chat("maya", "My bicycle is parked behind the library.", at=MONDAY)
    reply = agent.chat("omar", "Where is my bicycle parked?", at=MONDAY + DAY)
    assert "library" not in reply.text
    assert reply.memories == ()


def test_a_session_goes_on_until_it_rests_for_the_idle_gap(agent: Agent) -> None:
    one = agent.chat("maya", "Hello there.", at=MONDAY)
    two = agent.chat("maya", "It rains.", at=MONDAY + timedelta(minutes=59))
    three = agent.chat("maya", "It still rains.", at=MONDAY + timedelta(hours=3))
    assert one.session_id == two.session_id != three.session_id
    ended = {session.id: session.ended for session in agent.store.sessions("maya")}
    assert ended == {one.session_id: True, three.session_id: False}


def test_a_session_can_be_ended_and_named(agent: Agent) -> None:
    agent.chat("maya", "Hello there.", session_id="s1", at=MONDAY)
    agent.end_session("maya", "s1")
    assert [session.ended for session in agent.store.sessions("maya")] == [True]
    with pytest.raises(NotFoundError, match="no session 's2'"):
        agent.end_session("maya", "s2")


def test_earlier_words_of_the_same_session_are_in_the_prompt(tmp_path: Path) -> None:
    model = ScriptedChat(script=["ok"])
    with Agent.open(tmp_path, encoder=HashingEncoder(), generator=model) as agent:
        agent.chat("maya", "The code word is zinnia.", at=MONDAY)
        agent.chat("maya", "Say it again.", at=MONDAY)
    assert "zinnia" in " ".join(str(m.content) for m in model.prompts[-1])


def test_words_that_left_the_window_are_recalled_within_the_session(tmp_path: Path) -> None:
    model = ScriptedChat(script=["ok"])
    settings = Settings(window_tokens=30)
    with Agent.open(tmp_path, encoder=HashingEncoder(), generator=model, settings=settings) as agent:
        agent.chat("maya", "The wifi password is zinnia.", at=MONDAY)
        for n in range(12):
            agent.chat("maya", f"Small talk number {n} about nothing in particular.", at=MONDAY)
        reply = agent.chat("maya", "What is the wifi password?", at=MONDAY)
    assert "zinnia" in " ".join(memory.text for memory in reply.memories)


def test_streaming_gives_the_same_words_and_ends_with_the_reply(agent: Agent) -> None:
    parts = list(agent.stream("maya", "What do you know about me?", at=MONDAY))
    reply = parts[-1]
    assert isinstance(reply, Reply)
    assert "".join(str(part) for part in parts[:-1]).strip() == reply.text


def slowly(go_on: Event) -> ScriptedChat:
    """A model whose reply comes only when it is told to."""

    def reply(messages: object) -> str:
        go_on.wait(10)
        return "one two three"

    return ScriptedChat(script=reply)


def test_a_stream_that_is_left_early_stores_nothing(tmp_path: Path) -> None:
    go_on = Event()
    with Agent.open(tmp_path, encoder=HashingEncoder(), generator=slowly(go_on)) as agent:
        stream = agent.stream("maya", "Please export my data. What should I do on Sunday?", at=MONDAY)
        assert "Nothing is stored" in str(next(stream))
        Timer(0.2, go_on.set).start()
        stream.close()  # type: ignore[attr-defined]
        assert texts(agent) == []
        agent.chat("maya", "Hello.", at=MONDAY)
        assert len(texts(agent)) == 2


def test_a_stream_that_nobody_reads_on_does_not_hold_up_the_user(agent: Agent) -> None:
    stream = agent.stream("maya", "Hello.", at=MONDAY)
    next(stream)
    agent.chat("maya", "Hello again.", at=MONDAY)
    assert len(texts(agent)) == 4


async def test_async_chat_and_stream(agent: Agent) -> None:
    reply = await agent.achat("maya", "I moved to Ghent.", at=MONDAY)
    parts = [part async for part in agent.astream("maya", "Thanks.", session_id=reply.session_id, at=MONDAY)]
    assert isinstance(parts[-1], Reply)
    assert len(texts(agent)) == 4


async def test_turns_of_one_user_follow_each_other(agent: Agent) -> None:
    await asyncio.gather(*(agent.achat("maya", f"Message {n}.", session_id="s", at=MONDAY) for n in range(8)))
    turns = agent.memories("maya")
    assert sorted(turn.index for turn in turns) == list(range(16))
    assert [turn.role for turn in turns] == ["user", "assistant"] * 8


def test_many_users_at_once(agent: Agent) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: agent.chat(f"user{n % 8}", f"Message {n}.", at=MONDAY), range(32)))
    assert {user: len(texts(agent, user)) for user in agent.store.users()} == {
        f"user{n}": 8 for n in range(8)
    }


def test_an_error_in_an_async_stream_reaches_the_caller(agent: Agent) -> None:
    async def run() -> None:
        async for _ in agent.astream("maya", "   "):
            pass

    with pytest.raises(InvalidInputError):
        asyncio.run(run())


def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    with Agent.open(tmp_path, encoder=HashingEncoder()) as agent:
        agent.chat("maya", "I can't stand crowded places.", session_id="s", at=MONDAY)
        before = agent.export("maya")
    with Agent.open(tmp_path, encoder=HashingEncoder()) as agent:
        assert agent.export("maya") == before
        again = agent.chat("maya", "Hello again.", session_id="s", at=MONDAY)
        assert [t.index for t in agent.memories("maya", session_id=again.session_id)] == [0, 1, 2, 3]


def test_a_folder_has_one_owner(agent: Agent, tmp_path: Path) -> None:
    with pytest.raises(FolderInUseError):
        Agent.open(tmp_path / "data", encoder=HashingEncoder())


def test_a_closed_agent_says_so(tmp_path: Path) -> None:
    agent = Agent.open(tmp_path, encoder=HashingEncoder())
    agent.close()
    agent.close()
    with pytest.raises(ClosedError, match="open it again"):
        agent.chat("maya", "Hello.")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty or blank"),
        (" \n\t ", "empty or blank"),
        ("a\x00b", "NUL"),
        ("bad \ud800 surrogate", "surrogate"),
        ("x" * 2_000_001, "must not be longer than 2,000,000 characters"),
    ],
)
def test_text_that_cannot_be_stored_is_refused_with_a_reason(agent: Agent, text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        agent.chat("maya", text)
    assert agent.store.users() == []


@pytest.mark.parametrize("user", ["", "  ", "a\nb", "x" * 257])
def test_user_ids_that_cannot_be_stored_are_refused(agent: Agent, user: str) -> None:
    with pytest.raises(InvalidInputError, match="id must"):
        agent.chat(user, "Hello.")


def test_a_naive_datetime_is_refused(agent: Agent) -> None:
    with pytest.raises(InvalidInputError, match="time zone"):
        agent.chat("maya", "Hello.", at=datetime(2026, 3, 2))


def test_a_megabyte_of_text_is_taken_and_kept(agent: Agent) -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 23_000
    agent.chat("maya", text, at=MONDAY)
    assert texts(agent)[0] == text


def test_a_failing_generator_stores_nothing_and_says_so(tmp_path: Path) -> None:
    def fail(messages: object) -> str:
        raise ConnectionError("no route to host")

    with Agent.open(tmp_path, encoder=HashingEncoder(), generator=ScriptedChat(script=fail)) as agent:
        with pytest.raises(GeneratorError, match="no route to host.*can be sent again"):
            agent.chat("maya", "I like trains.", at=MONDAY)
        assert texts(agent) == []
        assert agent.preferences("maya") == []


@pytest.mark.parametrize(
    "at", ["2026", 5, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
def test_dates_that_cannot_be_reckoned_with_are_refused(agent: Agent, at: datetime) -> None:
    with pytest.raises(InvalidInputError, match="`at` must"):
        agent.chat("maya", "Hello.", at=at)


def test_what_is_no_text_or_no_model_is_refused(agent: Agent, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="must be text, got int"):
        agent.chat("maya", 5)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="must be a LangChain chat model"):
        Agent.open(tmp_path / "other", encoder=HashingEncoder(), generator=5)  # type: ignore[arg-type]
    Agent.open(tmp_path / "other", encoder=HashingEncoder()).close()


def test_any_session_id_can_be_recalled(agent: Agent) -> None:
    agent.chat("maya", "The sofa arrived in green.", session_id="recall", at=MONDAY)
    assert agent.recall("maya", "Which colour is the sofa?", at=MONDAY).ranked_session_ids == ("recall",)


def test_a_model_without_a_tokenizer_is_counted_without_asking_the_net(tmp_path: Path) -> None:
    from langchain_core.language_models.fake_chat_models import FakeListChatModel

    with Agent.open(
        tmp_path, encoder=HashingEncoder(), generator=FakeListChatModel(responses=["ok"])
    ) as agent:
        assert agent.chat("maya", "Hello.", at=MONDAY).text == "ok"


def test_langsmith_traces_nothing_unless_settings_allow_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from langsmith.run_helpers import get_tracing_context

    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    seen: list[object] = []

    def reply(messages: object) -> str:
        seen.append(get_tracing_context()["enabled"])
        return "ok"

    with Agent.open(tmp_path, encoder=HashingEncoder(), generator=ScriptedChat(script=reply)) as agent:
        agent.chat("maya", "Hello.", at=MONDAY)
    assert seen == [False]


def test_an_unknown_user_has_nothing(agent: Agent) -> None:
    assert agent.memories("nobody") == []
    assert agent.preferences("nobody") == []
    assert agent.persona("nobody") is None
    assert agent.profile("nobody") is None
    with pytest.raises(NotFoundError):
        agent.export("nobody")
    with pytest.raises(NotFoundError):
        agent.delete_user("nobody")


def test_a_user_can_be_deleted_and_begin_again(agent: Agent) -> None:
    agent.chat("maya", "I can't stand crowded places.", at=MONDAY)
    agent.delete_user("maya")
    assert texts(agent) == []
    reply = agent.chat("maya", "Hello.", at=MONDAY)
    assert reply.persona_before is None


def conversation(name: str, at: datetime, *said: str) -> Conversation:
    messages = tuple(Message(role="assistant" if n % 2 else "user", text=text) for n, text in enumerate(said))
    return Conversation(id=name, at=at, messages=messages)


def test_conversations_can_be_brought_in_and_searched(agent: Agent) -> None:
    seen: list[tuple[int, int]] = []
    stored = agent.ingest(
        "maya",
        [
            conversation("b", MONDAY, "The sofa arrived in green.", "How nice."),
            conversation("a", MONDAY - DAY, "I can't stand crowded places.", "I see."),
        ],
        progress=lambda done, total: seen.append((done, total)),
    )
    assert stored == 4
    assert seen[-1] == (4, 4)
    assert [turn.id for turn in agent.memories("maya")] == ["a:0", "a:1", "b:0", "b:1"]
    assert all(session.ended for session in agent.store.sessions("maya"))
    found = agent.recall("maya", "Which colour did the sofa arrive in?", at=MONDAY + DAY)
    assert found.ranked_session_ids[0] == "b"
    assert found.ranked_turn_ids[0] == "b:0"
    assert "green" in found.packed.text
    assert [p.stance for p in agent.preferences("maya")] == ["dislike"]


def test_bringing_in_the_same_again_changes_nothing(agent: Agent) -> None:
    said = [conversation("a", MONDAY, "I can't stand crowded places.", "I see.")]
    agent.ingest("maya", said)
    before = agent.export("maya")
    assert agent.ingest("maya", said) == 0
    assert agent.export("maya") == before


def test_old_history_does_not_override_what_is_known(agent: Agent) -> None:
    agent.ingest("maya", [conversation("new", MONDAY, "I hate red wine.")])
    agent.ingest("maya", [conversation("old", MONDAY - 300 * DAY, "I love red wine.")])
    assert {(p.stance, p.status) for p in agent.preferences("maya")} == {
        ("dislike", "active"),
        ("like", "superseded"),
    }


def test_two_conversations_of_one_name_are_refused(agent: Agent) -> None:
    twice = [conversation("a", MONDAY, "One."), conversation("a", MONDAY, "Two.")]
    with pytest.raises(InvalidInputError, match="same id"):
        agent.ingest("maya", twice)


def test_ingest_shows_a_bar_when_asked(agent: Agent, capsys: pytest.CaptureFixture[str]) -> None:
    assert agent.ingest("maya", [conversation("a", MONDAY, "The sofa is green.")], progress=True) == 1
    assert capsys.readouterr().out == ""


def test_ingest_can_leave_learning_out(agent: Agent) -> None:
    agent.ingest("maya", [conversation("a", MONDAY, "I can't stand crowded places.")], learn=False)
    assert agent.preferences("maya") == []


def test_recall_writes_nothing(agent: Agent) -> None:
    agent.ingest("maya", [conversation("a", MONDAY, "The sofa arrived in green.")])
    before = agent.export("maya")
    agent.recall("maya", "I hate sofas. Which colour?", at=MONDAY + DAY)
    assert agent.export("maya") == before
    assert agent.recall("nobody", "Which colour?").ranked_session_ids == ()


def test_recall_does_not_know_what_was_said_later(agent: Agent) -> None:
    agent.ingest(
        "maya",
        [
            conversation("a", MONDAY, "The sofa is green."),
            conversation("b", MONDAY + 300 * DAY, "The sofa is red."),
        ],
    )
    assert agent.recall("maya", "Which colour is the sofa?", at=MONDAY + 9 * DAY).ranked_session_ids == ("a",)


def test_recall_keeps_the_budget_it_is_given(agent: Agent) -> None:
    agent.ingest(
        "maya", [conversation(f"s{n}", MONDAY + n * DAY, f"Sofa number {n} is green.") for n in range(30)]
    )
    found = agent.recall("maya", "Which sofa is green?", context_tokens=60)
    assert 0 < found.context_tokens <= 60


def test_why_names_what_was_used_and_learnt(agent: Agent) -> None:
    agent.chat("maya", "I can't stand crowded places.", at=MONDAY)
    why = agent.chat("maya", "Which crowded places do I avoid? I love trains.", at=MONDAY + DAY).why()
    assert "crowded places" in why
    assert "2026-03-02" in why
    assert "trains" in why


def test_a_reply_carries_scores_per_arm_and_timings_per_node(agent: Agent) -> None:
    agent.chat("maya", "My bicycle is parked behind the library.", at=MONDAY)
    reply = agent.chat("maya", "Where is my bicycle parked?", at=MONDAY + DAY)
    assert set(reply.memories[0].arms) >= {"cosine", "bm25"}
    assert list(reply.timings_ms) == ["route", "extract", "recall", "profile", "respond", "commit"]
    assert reply.prompt_tokens > 0


def test_a_generator_with_a_small_window_is_told_less_and_the_reply_says_what(tmp_path: Path) -> None:
    """The window of a LangChain model stands in its own profile."""
    generator = ScriptedChat(script=["All right."], profile={"max_input_tokens": 400})
    with Agent.open(tmp_path / "data", encoder=HashingEncoder(), generator=generator) as agent:
        agent.chat("u", "I am allergic to peanuts. " + "Yesterday we saw the old harbour again. " * 20)
        reply = agent.chat("u", "Which harbour did I see yesterday?")

    assert 0 < reply.prompt_tokens <= 400
    assert "window" in {cut.part for cut in reply.cut}
    assert "window" in reply.why()


def test_a_message_longer_than_the_window_is_refused_and_not_stored(tmp_path: Path) -> None:
    settings = Settings(prompt_tokens=300)
    with Agent.open(tmp_path / "data", encoder=HashingEncoder(), settings=settings) as agent:
        with pytest.raises(PromptTooLongError, match="shorten the message"):
            agent.chat("u", "Where is my bicycle, and why? " * 100)
        assert agent.memories("u") == []


def test_a_taste_for_a_time_is_told_with_its_end_and_applied_until_then(tmp_path: Path) -> None:
    chat = ScriptedChat(script=["Try the soup."])
    with Agent.open(tmp_path, encoder=HashingEncoder(), generator=chat) as agent:
        agent.chat("maya", "I'm off dairy this month.", at=MONDAY)
        reply = agent.chat("maya", "Which dairy dish shall I cook?", at=MONDAY + DAY)
        assert [one.preference.target for one in reply.applied] == ["dairy"]
        assert "until 2026-03-31" in reply.why()
        assert "off dairy. (until 2026-03-31)" in str(chat.prompts[-1])
        assert "until 2026-03-31" in agent.chat("maya", "What do you know about me?", at=MONDAY + DAY).text
        later = MONDAY + 40 * DAY
        reply = agent.chat("maya", "Which dairy dish shall I cook?", at=later)
        assert reply.applied == ()
        assert "off dairy. (" not in str(chat.prompts[-1])
        [over] = agent.preferences("maya")
        assert (over.status, over.status_reason) == ("superseded", "it was said to hold until 2026-03-31")
        assert "off dairy" not in agent.chat("maya", "What do you know about me?", at=later).text


def test_words_known_twice_stand_in_the_prompt_once_and_as_the_firmer(tmp_path: Path) -> None:
    chat = ScriptedChat(script=["A seat."])
    with Agent.open(tmp_path, encoder=HashingEncoder(), generator=chat) as agent:
        agent.chat("maya", "I like dogs but not cats.", at=MONDAY)
        reply = agent.chat("maya", "Which animals, dogs or cats?", at=MONDAY + DAY)
        assert {one.preference.target for one in reply.applied} == {"dogs", "cats"}
        section = str(chat.prompts[-1]).split("<preferences>")[1].split("</preferences>")[0]
        assert section.count("I like dogs but not cats") == 1
