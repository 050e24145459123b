from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError, Event

import pytest

from habitus.agent.slots import Slots


def meet(slots: Slots, n: int) -> bool:
    """Tell whether n turns get to compute at the same time."""
    together = Barrier(n)

    def compute() -> bool:
        with slots.computing():
            try:
                together.wait(1.0)
            except BrokenBarrierError:
                return False
        return True

    with ThreadPoolExecutor(n) as threads:
        return all([future.result() for future in [threads.submit(compute) for _ in range(n)]])


def test_so_many_compute_at_once_and_no_more() -> None:
    slots = Slots(2)
    assert meet(slots, 2)
    assert not meet(slots, 3)
    assert meet(slots, 2)


def test_who_waits_for_a_model_leaves_its_slot() -> None:
    slots = Slots(1)
    with slots.computing(), slots.waiting(streams=False):
        assert meet(slots, 1)


@pytest.mark.parametrize("streams", [True, False])
def test_a_slot_stays_empty_only_while_a_reply_is_streamed(streams: bool) -> None:
    slots = Slots(2)
    with slots.computing():
        with slots.waiting(streams=streams):
            assert meet(slots, 1)
            assert meet(slots, 2) is not streams
    assert meet(slots, 2)


def test_the_only_slot_is_used_while_replies_are_streamed() -> None:
    slots = Slots(1)
    with slots.computing(), slots.waiting(streams=True):
        assert meet(slots, 1)


def test_who_waits_for_room_gets_it_when_the_last_stream_ends() -> None:
    slots, streaming, end = Slots(2), Event(), Event()

    def stream() -> None:
        with slots.computing(), slots.waiting(streams=True):
            streaming.set()
            end.wait(60)

    with ThreadPoolExecutor(3) as threads:
        streamer = threads.submit(stream)
        streaming.wait(60)
        with slots.computing():
            blocked = threads.submit(meet, slots, 1)
            end.set()
            # The streamer itself takes its slot again and gives it back.
            streamer.result(60)
            assert blocked.result(60)


def test_an_error_gives_the_slot_back() -> None:
    slots = Slots(1)
    with pytest.raises(ValueError, match="broken"), slots.computing(), slots.waiting(streams=True):
        raise ValueError("broken")
    assert meet(slots, 1)
