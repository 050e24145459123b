import pytest

from habitus.agent.routing import find_command, find_routes


def routes(text: str, *, is_feedback: bool = False) -> frozenset[str]:
    return frozenset(find_routes(text, command=find_command(text), is_feedback=is_feedback))


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("Where did I leave my bicycle?", "extraction"),
        ("How many concerts have I been to this year?", "extraction"),
        ("What was the name of the café you recommended?", "extraction"),
        ("Can you remind me what time my train leaves?", "extraction"),
        ("When did I last water the plants", "extraction"),
        ("When I travel for work I prefer the night train.", "statement"),
        ("When guests come, my wife cooks for us.", "statement"),
        ("Where we live it rains all winter.", "statement"),
        ("What I really hate is waiting.", "statement"),
        ("When is my sister's birthday", "extraction"),
        ("What are some films I could watch on Sunday?", "generalization"),
        ("Which trails can I walk with a pram?", "generalization"),
        ("What did I say I could lend you?", "extraction"),
        ("What are the films that I liked?", "extraction"),
        ("What kind of traveller am I?", "abstraction"),
        ("Describe my taste in music.", "abstraction"),
        ("Can you recommend a novel for the weekend?", "generalization"),
        ("Which seat would you book for me?", "generalization"),
        ("Where should we eat on Sunday?", "generalization"),
        ("Where can we go with a pram?", "generalization"),
        ("When shall I plant the bulbs?", "generalization"),
        ("How do I get a stain out of wool?", "generalization"),
        ("Write a birthday card for a colleague.", "generalization"),
        ("I moved to Ghent last week.", "statement"),
        ("Forget that I like opera.", "command"),
        ("What do you know about me?", "command"),
        ("Please export my data.", "command"),
    ],
)
def test_a_message_of_one_kind_has_one_route(text: str, route: str) -> None:
    assert routes(text) == {route}


def test_a_message_may_be_several_things() -> None:
    assert routes("I just became a vegetarian. Can you suggest a dinner?") == {"statement", "generalization"}


def test_feedback_is_added_to_what_the_message_is_otherwise() -> None:
    assert routes("Too long. Where do I work?", is_feedback=True) == {"statement", "feedback", "extraction"}


def test_a_message_without_words_is_a_statement() -> None:
    assert routes("👍") == {"statement"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Forget that I like opera.", "I like opera"),
        ("Please forget everything I told you about my divorce.", "my divorce"),
        ("Could you please delete my address from your memory?", "my address"),
        ("Don't remember that I was late.", "I was late"),
        ("Hey, stop remembering my salary please", "my salary"),
        ("Erase everything you know about my ex.", "my ex"),
        ("Delete that I work as a nurse.", "I work as a nurse"),
        ("Forget the fact that I was late.", "I was late"),
        ("Forget that.", ""),
        ("Forget I said that.", ""),
    ],
)
def test_what_is_to_be_forgotten_is_found(text: str, words: str) -> None:
    command = find_command(text)
    assert command is not None
    assert (command.kind, command.words) == ("forget", words)


@pytest.mark.parametrize(
    "text",
    [
        "Don't forget to water the plants.",
        "I always forget my keys.",
        "Never forget how we met.",
        "How do I delete a file in Linux?",
        "I forgot that I like opera.",
        "Could you remove the last paragraph?",
        "Can you delete the second paragraph about trains from the draft?",
        "Delete my 3pm meeting.",
        "Don't remember where I put my keys.",
        "Forget-me-nots are my favourite flowers.",
        "Forget it.",
        "Forget it, let's talk about Italian food.",
        "Forget the budget, just give me the best hotel in Rome.",
    ],
)
def test_talking_of_forgetting_is_no_command(text: str) -> None:
    assert find_command(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Forget everything.",
        "Delete my data.",
        "Please erase everything you know about me.",
        "Wipe my data.",
        "Clear your memory.",
        "Delete all my memories, please.",
        "Could you forget everything about me?",
    ],
)
def test_forgetting_everything_is_a_command_of_its_own(text: str) -> None:
    command = find_command(text)
    assert command is not None
    assert (command.kind, command.words) == ("forget_all", "")


def test_a_correction_is_found_with_its_words() -> None:
    command = find_command("Correction: I live in Porto.")
    assert command is not None
    assert (command.kind, command.words) == ("correct", "I live in Porto.")


def test_a_very_long_message_is_routed_by_its_beginning() -> None:
    assert "extraction" in routes("Where do I live? " + "And so on. " * 100_000)
