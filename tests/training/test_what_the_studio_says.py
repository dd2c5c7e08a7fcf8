"""Every code that the studio may tell has words here, and the English ones are the studio's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils import translation

from studio.dataset import problems
from studio.dataset.problems import TEXTS
from training import orders, words

STUDIO = Path(__file__).parents[2] / "studio"


def test_each_problem_of_a_check_is_in_the_table_word_for_word():
    assert {code: (message, remedy) for code, (_severity, message, remedy) in TEXTS.items()} == {
        code: (str(message), str(remedy)) for code, (message, remedy) in words.PROBLEMS.items()
    }


def test_each_line_of_the_trainers_log_is_in_the_table():
    told = {
        code
        for file in (STUDIO / "lora").glob("*.py")
        for code in re.findall(r'on_log\(\s*"(\w+)"', file.read_text(encoding="utf-8"))
    }
    assert told and told <= set(words.NOTES)


def test_each_reason_sign_and_flag_of_a_choice_is_in_the_table():
    text = (STUDIO / "lora" / "choosing.py").read_text(encoding="utf-8")
    known = {*words.REASONS, *words.SIGNS, *words.FLAGS}
    for code in known:
        assert f'"{code}"' in text, code
    documented = set(re.findall(r"``(\w+)``", text.split("class Choice")[1].split('"""')[1]))
    assert documented <= known


def test_a_line_with_numbers_and_one_without_words_are_both_shown():
    assert words.note("resumed", {"step": 120}).startswith("The training goes on from step 120")
    assert words.note("something_new", {}) == "something new"


def test_a_log_line_counts_what_it_was_told_of():
    assert words.note("caption_cut", {"pictures": [0, 4]}).endswith(": 2.")


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", ("became unstable", "smaller learning rate")), ("zh-hans", ("不稳定", "更小的学习率"))],
)
def test_a_training_that_broke_down_says_what_to_do_in_the_readers_language(language, said):
    raised = re.search(r'"not_finite", (\w+)', (STUDIO / "lora" / "run.py").read_text(encoding="utf-8"))
    assert raised is not None  # the code that the words hang on
    with translation.override(language):
        shown = words.failure("not_finite", "whatever the studio wrote")
    assert all(part in shown for part in said)
    assert "_" not in shown


def test_the_check_and_the_order_want_the_same_number_of_pictures():
    assert f"{['three', 'four', 'five'][orders.LEAST_PICTURES - 3]} at least" in TEXTS["too_few_pictures"][2]
    assert orders.LEAST_PICTURES == problems.FEWEST
