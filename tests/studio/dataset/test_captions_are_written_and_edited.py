"""Captions from words, in two languages; edits of one and of many; what a text encoder makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

import studio.mini
from studio.dataset.captions import (
    CATEGORIES,
    Language,
    Words,
    add,
    caption,
    class_word,
    covered,
    prefix,
    remove,
    replace_words,
    triggers_missing,
    with_trigger,
    without_details,
)
from studio.dataset.encoders import words_of
from studio.errors import InputError
from studio.mini.world import random_spec

TOKENIZER = Path(studio.mini.__file__).parent / "weights" / "tokenizer"
FULL = Words(
    category="top", colour="navy", second="white", pattern="striped", sleeve="short", other="beige trousers",
    wearer="a woman with fair skin and short red hair", pose="hands on hips", view="back", scene="park", crop="knee",
)  # fmt: skip


def test_a_mini_caption_is_the_worlds_own_with_the_trigger_before_the_garment() -> None:
    assert caption(FULL, trigger="zkv17", language="mini") == (
        "knee up photo of a woman with fair skin and short red hair wearing zkv17 navy striped short sleeved t-shirt "
        "and beige trousers, hands on hips, back view, park"
    )


def test_every_word_of_a_mini_caption_is_one_that_its_encoder_was_trained_on() -> None:
    known = {word for seed in range(3000) for word in random_spec(seed).caption.replace(",", "").split()}
    for category in CATEGORIES:
        for sleeve in ("", "none", "short", "long"):
            words = Words(category=category, colour="sky blue", pattern="floral", sleeve=sleeve, length="long")
            said = caption(words, trigger="zkv17", language="mini").replace(",", "").split()
            assert set(said) - known == {"zkv17"}, said


def test_an_english_caption_says_both_colours_and_nothing_that_is_unknown() -> None:
    assert caption(FULL, trigger="zkv17", language="english") == (
        "knee up photo of a woman with fair skin and short red hair wearing zkv17 navy and white striped short sleeved "
        "top and beige trousers, hands on hips, back view, park"
    )
    bare = Words(category="jacket")
    assert caption(bare, trigger="zkv17", language="english") == "photo of a person wearing zkv17 jacket"


@pytest.mark.parametrize(("language", "noun"), [("english", "top"), ("mini", "t-shirt")])
def test_details_may_be_left_to_the_trigger_word(language: Language, noun: str) -> None:
    said = caption(without_details(FULL), trigger="zkv17", language=language)
    assert f"wearing zkv17 {noun} and beige trousers, hands on hips" in said


def test_a_dress_without_details_is_not_given_the_commonest_sleeves_and_length() -> None:
    bare = without_details(Words(category="dress", colour="teal", sleeve="long", length="long"))
    assert "wearing zkv17 dress, standing" in caption(bare, trigger="zkv17", language="mini")
    assert "zkv17 teal short sleeved knee dress" in caption(
        Words(category="dress", colour="teal"), trigger="zkv17", language="mini"
    )


def test_a_category_says_which_part_of_the_body_it_covers_and_an_unknown_one_is_refused() -> None:
    assert [covered(name) for name in ("coat", "trousers", "dress")] == ["upper", "lower", "full"]
    assert class_word("jacket", "english") == "jacket" and class_word("jacket", "mini") == "coat"
    with pytest.raises(InputError) as caught:
        covered("hat")
    assert caught.value.code == "category_unknown"


@pytest.mark.parametrize("trigger", ["", "Red", "two words", "a/b", "x" * 33, "-x", "ä"])
def test_a_trigger_is_one_plain_word(trigger: str) -> None:
    with pytest.raises(InputError) as caught:
        caption(FULL, trigger=trigger, language="mini")
    assert caught.value.code == "trigger_invalid"


def test_words_are_added_once_at_the_end_or_the_start() -> None:
    texts = ("red coat", "red coat, studio", "")
    assert add(texts, "studio") == ("red coat, studio", "red coat, studio", "studio")
    assert add(add(texts, "studio"), " studio, ") == add(texts, "studio")
    assert prefix(texts, "photo", only=[0, 2]) == ("photo, red coat", "red coat, studio", "photo")
    assert prefix(prefix(texts, "photo"), "photo") == prefix(texts, "photo")


def test_words_go_and_change_as_whole_words_only() -> None:
    texts = ("a red coat, bored, red", "RED   coat", "t-shirt, shirt", "covered")
    assert remove(texts, "red") == ("a coat, bored", "coat", "t-shirt, shirt", "covered")
    assert remove(texts, "shirt") == ("a red coat, bored, red", "RED coat", "t-shirt", "covered")
    assert replace_words(texts, "red coat", "blue jacket")[:2] == ("a blue jacket, bored, red", "blue jacket")
    assert replace_words(("1+1 (one)",), "1+1", r"\g<0>2") == (r"\g<0>2 (one)",)
    assert replace_words(texts, "red", "", only=[1]) == ("a red coat, bored, red", "coat", "t-shirt, shirt", "covered")


def test_edits_leave_the_others_alone_and_refuse_nonsense() -> None:
    texts = ("one", "two")
    assert add(texts, "x", only=[]) == texts
    for bad in (lambda: add(texts, " , "), lambda: remove(texts, ""), lambda: add(texts, "y" * 1000)):
        with pytest.raises(InputError) as caught:
            bad()
        assert caught.value.code == "caption_invalid"
    with pytest.raises(InputError) as caught:
        add(texts, "x", only=[2])
    assert caught.value.code == "caption_index_invalid"


def test_a_trigger_that_was_edited_away_is_found_and_put_back() -> None:
    texts = ("photo of zkv17 coat", "photo of zkv175 coat", "a coat")
    assert triggers_missing(texts, "zkv17") == (1, 2)
    assert with_trigger(texts, "zkv17") == (texts[0], "zkv17, photo of zkv175 coat", "zkv17, a coat")


def test_the_minis_tokenizer_spells_a_trigger_knows_its_words_and_counts_captions() -> None:
    words = words_of(TOKENIZER)
    assert words.most == 48
    assert words.spells("zkv17") and not words.known("zkv17")
    assert words.known("coat") and words.spells("coat")
    said = caption(FULL, trigger="zkv17", language="mini")
    assert words.count(said) - words.count(said.replace("zkv17 ", "")) == words.count("zkv17") - 2
    assert words.count(said) <= 48 < words.count(", ".join([said, said]))
