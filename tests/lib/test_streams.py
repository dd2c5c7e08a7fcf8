"""A stream says what changed, nothing twice, beats in silence, ends by itself, and always gives its place back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from imodel_site.lib import streams
from imodel_site.lib.errors import NotHere
from imodel_site.lib.streams import BEAT, EACH, LIFE, RETRY, Places, Stream, Told


class Bell:
    """Time passes only while somebody waits."""

    def __init__(self) -> None:
        self.now, self.waits, self.closed = 0.0, 0, 0

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        self.waits += 1
        return False

    def close(self) -> None:
        self.closed += 1

    def clock(self) -> float:
        return self.now


def stream_of(*answers: Any, known: str = "", **more: Any) -> tuple[Stream, Bell]:
    """Looks find these answers one after the other, and the last one for ever."""
    bell, left = Bell(), list(answers)

    def look() -> Told:
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, Exception):
            raise found
        return found

    return Stream(look, bell, known, clock=bell.clock, **more), bell


def said(stream: Iterator[bytes], pieces: int) -> list[str]:
    return [next(stream).decode() for _ in range(pieces)]


HALF, DONE = Told({"stage": "Painting"}, last=False), Told({"stage": "Finished"}, last=True)


def test_it_begins_with_how_long_to_stay_away_and_with_how_things_are() -> None:
    stream, _bell = stream_of(HALF)
    assert said(stream, 2) == [f"retry: {RETRY}\n\n", f'id: {HALF.tag}\ndata: {{"stage": "Painting"}}\n\n']


def test_the_same_is_not_said_twice_and_the_last_word_ends_it() -> None:
    stream, bell = stream_of(HALF, HALF, DONE)
    pieces = [piece.decode() for piece in stream]
    assert [piece.split("\n")[0] for piece in pieces[1:]] == [f"id: {HALF.tag}", f"id: {DONE.tag}"]
    assert bell.waits == 2


def test_a_browser_that_comes_back_is_told_only_what_it_does_not_know() -> None:
    stream, _bell = stream_of(HALF, DONE, known=HALF.tag)
    assert [piece.split(b"\n")[0].decode() for piece in stream][1:] == [f"id: {DONE.tag}"]


def test_silence_is_broken_by_a_beat_and_the_stream_ends_in_time() -> None:
    stream, bell = stream_of(HALF)
    pieces = list(stream)
    beats = pieces.count(b": beat\n\n")
    assert bell.now >= LIFE and LIFE / BEAT - 2 <= beats <= LIFE / BEAT
    assert len(pieces) == beats + 2


def test_a_page_whose_reader_lost_access_just_ends() -> None:
    stream, _bell = stream_of(HALF, NotHere())
    assert len(list(stream)) == 2


def test_closing_gives_the_place_back_once_even_if_nothing_was_read() -> None:
    given: list[str] = []
    stream, bell = stream_of(HALF, on_close=lambda: given.append("back"))
    stream.close()
    stream.close()
    assert (given, bell.closed) == (["back"], 1)


def test_places_are_bounded_in_all_and_for_each_person() -> None:
    places = Places()
    assert [places.take("ann", 8) for _ in range(EACH + 1)] == [True] * EACH + [False]
    assert [places.take(n, EACH + 1) for n in ("ben", "cleo")] == [True, False]
    places.give_back("ann")
    assert places.take("cleo", EACH + 1) and len(places) == EACH + 1


def test_no_place_is_no_content_and_takes_no_bell(settings: Any) -> None:
    settings.STREAMS = 0
    rung: list[str] = []
    answer = streams.answer(person=1, look=lambda: HALF, bell=lambda: rung.append("x") or Bell(), known="")
    assert (answer.status_code, rung) == (204, [])


def test_a_bell_that_cannot_be_had_keeps_no_place(settings: Any) -> None:
    settings.STREAMS = 1

    def broken() -> Bell:
        raise OSError("no thread")

    for _ in range(2):
        with pytest.raises(OSError, match="no thread"):
            streams.answer(person=1, look=lambda: HALF, bell=broken, known="")
    assert len(streams.places) == 0
