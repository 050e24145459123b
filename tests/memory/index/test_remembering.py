from habitus.memory.index.remembering import remembered


def test_a_result_is_computed_once_and_the_least_recently_used_goes() -> None:
    computed: list[str] = []

    def shout(text: str) -> str:
        computed.append(text)
        return text.upper()

    kept = remembered(shout, n=2)
    assert [kept(text) for text in ("a", "b", "a", "c", "a", "b")] == ["A", "B", "A", "C", "A", "B"]
    assert computed == ["a", "b", "c", "b"]


def test_long_texts_are_not_kept() -> None:
    computed: list[str] = []
    kept = remembered(computed.append, n=2, max_chars=3)
    for text in ("abc", "abc", "abcd", "abcd"):
        kept(text)
    assert computed == ["abc", "abcd", "abcd"]
