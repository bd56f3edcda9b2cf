import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glotmix.generate.replies import Reply
from glotmix.judge import Answer, Case, Judge, pairwise, rating
from hostile import anything, replies

GERMAN = "Das weiß ich leider nicht, frag doch bitte deinen großen Bruder danach."
FRENCH = "Je ne sais pas, demande plutôt à ton grand frère ce qu'il en pense."
ANSWERS = {
    "good": Answer(FRENCH),
    "other": Answer(f"{FRENCH} Merci !"),
    "german": Answer(GERMAN),
    "none": Answer(" \n"),
}


def rated(answer: Answer, *replies: str | None):
    return rating.score(Case("Pourquoi ?", "fr", answer), replies)


@pytest.mark.parametrize(("given", "value", "verdict"), [(5, 1.0, "correct"), (4, 0.8, "wrong"), (1, 0.2, "wrong")])
def test_a_rating_is_a_fifth_each(given, value, verdict):
    score = rated(ANSWERS["good"], f"Rating: [[{given}]]")
    assert (score.value, score.verdict, score.parsed) == (value, verdict, str(given))
    assert score.metrics == {"rating by the judge (rating-1)": given}


@pytest.mark.parametrize(("name", "verdict"), [("german", "wrong_language"), ("none", "no_answer")])
def test_wrong_language_and_no_answer_rate_1_without_a_call(name, verdict):
    case = Case("Pourquoi ?", "fr", ANSWERS[name])
    assert rating.conversations(case) == []
    score = rating.score(case, [])
    assert (score.value, score.verdict) == (0.2, verdict)


@pytest.mark.parametrize("reply", [None, "", "no idea", "Rating: [[9]]"])
def test_without_a_readable_rating_there_is_no_value_and_no_zero(reply):
    score = rated(ANSWERS["good"], reply)
    assert math.isnan(score.value) and score.verdict == "unjudged" and score.metrics == {}


@pytest.mark.parametrize(("ended", "verdict"), [("stop", "wrong"), ("", "wrong"), ("length", "unjudged")])
def test_of_a_reply_that_was_cut_no_rating_is_read(ended, verdict):
    class Cut:
        def ask_all(self, requests, on_progress):
            return [Reply("First thought:\nRating: [[4]]\nBut then it", ended, 0, 0) for _ in requests]

    (judgement,) = Judge(Cut(), "m", "rating", 512).judge([Case("Pourquoi ?", "fr", ANSWERS["good"])])
    assert judgement.score.verdict == verdict and len(judgement.calls) == 1


def test_an_answer_that_was_cut_off_is_judged_as_it_is():
    cut = Answer(FRENCH, finished=False)
    assert len(rating.conversations(Case("?", "fr", cut))) == 1
    assert [rated(cut, f"[[{n}]]").verdict for n in (3, 5)] == ["truncated", "correct"]
    assert rated(cut, "[[3]]").value == 0.6


def compared(own: str, other: str, *replies: str | None):
    case = Case("Pourquoi ?", "fr", ANSWERS[own], ANSWERS[other])
    assert len(pairwise.conversations(case)) == len(replies)
    return pairwise.score(case, replies)


@pytest.mark.parametrize(
    ("replies", "value", "inconsistent"),
    [("AB", 1.0, 0), ("BA", 0.0, 0), ("CC", 0.5, 0), ("AA", 0.5, 1), ("BB", 0.5, 1), ("AC", 0.75, 1), ("BC", 0.25, 1)],
)
def test_both_orders_count_alike(replies, value, inconsistent):
    score = compared("good", "other", *(f"Verdict: [[{letter}]]" for letter in replies))
    assert score.value == value and score.metrics["inconsistency of the judge (pairwise-1)"] == inconsistent
    assert score.verdict == ("correct" if value >= 0.5 else "wrong")
    lengths = (score.metrics["characters"], score.metrics["characters of the other answer"])
    assert lengths == (len(FRENCH), len(FRENCH) + 8)


def test_the_two_orders_show_the_two_answers_swapped():
    first, second = pairwise.conversations(Case("?", "fr", ANSWERS["good"], ANSWERS["other"]))
    places = [
        [text["content"].index(part) for part in (f"{FRENCH}\n", f"{FRENCH} Merci")] for _, text in (first, second)
    ]
    assert places[0] == sorted(places[0]) and places[1] == sorted(places[1], reverse=True)


@pytest.mark.parametrize(
    ("own", "other", "value", "verdict"),
    [
        ("good", "good", 0.5, "correct"),
        ("good", "german", 1.0, "correct"),
        ("good", "none", 1.0, "correct"),
        ("german", "good", 0.0, "wrong_language"),
        ("none", "good", 0.0, "no_answer"),
        ("none", "german", 0.5, "no_answer"),
    ],
)
def test_pairs_that_decide_themselves_are_not_asked_about(own, other, value, verdict):
    score = compared(own, other)
    assert (score.value, score.verdict) == (value, verdict)


@pytest.mark.parametrize("replies", [("[[A]]", None), (None, None), ("[[A]]", "well")])
def test_a_pair_with_one_order_missing_is_unjudged(replies):
    assert compared("good", "other", *replies).verdict == "unjudged"


@settings(max_examples=150, deadline=None)
@given(anything, anything, st.none() | replies(), st.sampled_from([rating, pairwise]), st.booleans())
def test_any_answer_and_any_reply_give_a_score(answer, other, reply, kind, finished):
    case = Case("?", "fr", Answer(answer, finished), Answer(other) if kind is pairwise else None)
    score = kind.score(case, [reply] * len(kind.conversations(case)))
    assert math.isnan(score.value) == (score.verdict == "unjudged") and not score.value < 0 and not score.value > 1


@given(st.permutations("ABC"))
def test_who_wins_does_not_depend_on_which_run_is_called_the_baseline(letters):
    first, second, _ = letters
    one = compared("good", "other", f"[[{first}]]", f"[[{second}]]").value
    # the same judge, seen from the other run: what was shown first is still shown first
    other = compared("other", "good", f"[[{second}]]", f"[[{first}]]").value
    assert one + other == 1
