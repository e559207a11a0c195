"""Every exercise knows at least six typical wrong answers; that each is told apart, tests/test_notebooks.py checks."""

from pathlib import Path

import pytest

from rnn_from_scratch.course.marking import exercises, judge, judge_value

COURSE = Path(__file__).parents[2] / "rnn_from_scratch" / "course"
FEWEST = 6
NUMBERS = sorted(path.stem.removeprefix("nb") for path in COURSE.glob("nb[0-9][0-9].py"))
FEWER = {"17-follows": 5}  # all of its options but the right one


@pytest.mark.parametrize("number", NUMBERS)
def test_six_typical_wrong_answers_are_known(number):
    for name, exercise in exercises(number).items():
        assert len(exercise.wrong) >= FEWER.get(name, FEWEST), f"{name} knows {len(exercise.wrong)}"


@pytest.mark.parametrize("number", NUMBERS)
def test_each_sentence_is_one_of_its_own_and_no_wrong_answer_has_all_points(number):
    for name, exercise in exercises(number).items():
        starts = [says[:40] for says in exercise.wrong]
        assert len(set(exercise.wrong)) == len(starts)
        if exercise.prove is None:
            verdicts = [judge_value(exercise, value) for value in exercise.wrong_values().values()]
        elif number in ("11", "12"):  # tests/test_notebooks.py: they take a second or two
            continue
        else:
            verdicts = [judge(exercise, answer) for answer in exercise.wrong.values()]
        assert all(verdict.share < 1 and not verdict.right for verdict in verdicts), name
        assert len({verdict.says for verdict in verdicts}) == len(verdicts), f"{name}: two answers get one sentence"
