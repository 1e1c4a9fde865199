"""The masks of a session follow from its clicks, whatever the way they came about."""

from __future__ import annotations

import numpy as np
import pytest

from napari_simpleclick.inference.plane import Plane
from napari_simpleclick.inference.session import (
    ClickSession,
    PlacedClick,
    Request,
    Target,
)
from napari_simpleclick.types import Click, Prediction

PLANE, OTHER = Plane((3, None, None)), Plane((4, None, None))
A, B, C = Click(1, 1), Click(2, 2, is_positive=False), Click(3, 3)


class Model:
    """Answers with the sum over clicks, plus a tenth of the previous answer."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, request: Request) -> Prediction:
        self.calls += 1
        start = 0.0 if request.previous is None else request.previous.probability[0, 0]
        value = request.clicks[-1].row + start / 10
        return Prediction(np.full((2, 2), value, np.float32))


def settle(session: ClickSession, model: Model) -> None:
    while (request := session.next_request()) is not None:
        assert session.commit(request, model(request))


def value(session: ClickSession, plane: Plane = PLANE, object_id: int = 1) -> float:
    prediction = session.prediction(Target(object_id, plane))
    return 0.0 if prediction is None else float(prediction.probability[0, 0])


def clicked(*clicks: Click) -> tuple[ClickSession, Model]:
    session, model = ClickSession(), Model()
    for click in clicks:
        session.add(click, PLANE)
    settle(session, model)
    return session, model


def test_every_click_builds_on_the_answer_before() -> None:
    session, model = clicked(A, B, C)
    assert value(session) == pytest.approx(3 + 0.2 + 0.01)
    assert model.calls == 3


def test_an_answer_that_was_foreseen_is_there_with_its_click() -> None:
    session, model = clicked(A)
    request = session.foresee(PlacedClick(B, Target(1, PLANE)))
    assert request is not None
    assert not session.commit(request, model(request))
    assert value(session) == pytest.approx(1)
    session.add(B, PLANE)
    assert session.next_request() is None
    assert value(session) == pytest.approx(2.1)


def test_nothing_is_foreseen_while_other_masks_are_needed() -> None:
    session, model = clicked(A)
    session.add(B, OTHER)
    placed = PlacedClick(C, Target(1, PLANE))
    assert session.foresee(placed) is None
    settle(session, model)
    assert session.foresee(placed) is not None


def test_undo_and_redo_need_no_model() -> None:
    session, model = clicked(A, B, C)
    assert session.undo() == (Target(1, PLANE),)
    assert value(session) == pytest.approx(2.1)
    session.undo()
    session.undo()
    assert value(session) == 0
    assert not session.can_undo
    assert session.undo() == ()
    session.redo()
    session.redo()
    assert value(session) == pytest.approx(2.1)
    settle(session, model)
    assert model.calls == 3


def test_a_new_edit_ends_redo() -> None:
    session, _ = clicked(A, B)
    session.undo()
    session.add(C, PLANE)
    assert not session.can_redo


def test_deleting_a_click_leaves_what_the_others_give() -> None:
    session, model = clicked(A, B, C)
    session.delete(1)
    settle(session, model)
    assert value(session) == value(clicked(A, C)[0])
    session.undo()
    assert value(session) == value(clicked(A, B, C)[0])


def test_moving_a_click_moves_the_mask_and_is_one_edit() -> None:
    session, model = clicked(A, B, C)
    for row in (5.0, 6.0, 7.0):
        session.move(1, Click(row, 2, is_positive=False))
    settle(session, model)
    assert value(session) == pytest.approx(3 + 0.7 + 0.01)
    assert model.calls == 5  # only the last place was asked for
    session.undo()
    assert session.clicks_of(Target(1, PLANE)) == (A, B, C)


def test_objects_and_slices_do_not_meet() -> None:
    session, model = clicked(A)
    session.add(B, OTHER)
    session.object_id = 2
    session.add(C, PLANE)
    settle(session, model)
    assert [value(session), value(session, OTHER), value(session, PLANE, 2)] == [
        1,
        2,
        3,
    ]
    session.undo()
    assert session.targets() == {Target(1, PLANE), Target(1, OTHER)}


def test_undo_returns_to_the_object_that_it_changes() -> None:
    session, _ = clicked(A)
    session.object_id = 2
    session.undo()
    assert session.object_id == 1


def test_reset_clears_one_object_on_one_slice_and_can_be_undone() -> None:
    session, model = clicked(A, B)
    session.add(C, OTHER)
    session.reset(PLANE)
    settle(session, model)
    assert value(session) == 0
    assert value(session, OTHER) == 3
    session.undo()
    assert value(session) == pytest.approx(2.1)


def test_late_answers_are_not_shown() -> None:
    session, model = clicked(A)
    session.add(B, PLANE)
    request = session.next_request()
    assert request is not None
    session.undo()
    assert not session.commit(request, model(request))
    assert value(session) == 1


def test_answers_of_another_model_are_dropped() -> None:
    session, model = clicked(A)
    session.add(B, PLANE)
    request = session.next_request()
    assert request is not None
    session.invalidate()
    assert not session.commit(request, model(request))
    settle(session, model)
    assert value(session) == pytest.approx(2.1)


def test_a_drawn_mask_is_where_clicks_start_and_where_undo_ends() -> None:
    session, model = ClickSession(), Model()
    session.set_mask(Target(1, PLANE), (), np.ones((2, 2), bool))
    session.add(A, PLANE)
    settle(session, model)
    assert value(session) == pytest.approx(1.1)
    session.undo()
    assert value(session) == 1


def test_a_mask_corrected_by_hand_is_what_the_next_click_builds_on() -> None:
    session, model = clicked(A, B)
    session.set_mask(Target(1, PLANE), (A, B), np.ones((2, 2), bool))
    session.add(C, PLANE)
    settle(session, model)
    assert value(session) == pytest.approx(3.1)
    session.undo()
    assert value(session) == 1
    session.undo()
    assert value(session) == 1  # the answer to the first click
    session.redo()
    session.invalidate()
    assert value(session) == 1  # what was drawn is no model's answer


def test_an_answer_to_a_mask_that_was_drawn_over_since_is_asked_for_again() -> None:
    session, model = clicked(A)
    session.add(B, PLANE)
    request = session.next_request()
    assert request is not None
    session.set_mask(Target(1, PLANE), (A,), np.zeros((2, 2), bool))
    assert not session.commit(request, model(request))
    settle(session, model)
    assert value(session) == 2


def test_a_click_that_is_redone_builds_on_what_was_drawn_since() -> None:
    session, model = clicked(A, B)
    session.undo()
    session.set_mask(Target(1, PLANE), (A,), np.zeros((2, 2), bool))
    session.redo()
    settle(session, model)
    assert value(session) == 2


def test_a_click_that_was_moved_back_is_answered_by_another_model() -> None:
    session, model = clicked(A)
    session.move(0, C)
    session.move(0, A)
    session.invalidate()
    session.ask([Target(1, PLANE)])
    settle(session, model)
    assert value(session) == 1


def test_missing_masks_are_computed_when_asked_for() -> None:
    session, model = clicked(A, B)
    session.invalidate()
    assert session.next_request() is None
    assert session.answer(Target(1, PLANE)) == (0, None)
    session.ask([Target(1, PLANE)])
    settle(session, model)
    assert value(session) == pytest.approx(2.1)


def test_an_erased_start_is_no_start() -> None:
    session, model = ClickSession(), Model()
    session.set_mask(Target(1, PLANE), (), np.ones((2, 2), bool))
    session.set_mask(Target(1, PLANE), (), np.zeros((2, 2), bool))
    session.add(A, PLANE)
    settle(session, model)
    assert value(session) == 1


def test_dropped_answers_are_computed_again() -> None:
    session, model = ClickSession(max_bytes=2 * 16), Model()
    for click in (A, B, C):
        session.add(click, PLANE)
    settle(session, model)
    session.undo()
    session.undo()  # the answer to the first click is gone
    settle(session, model)
    assert value(session) == 1
    assert model.calls == 4


def test_an_abandoned_target_asks_again_only_after_an_edit() -> None:
    session = ClickSession()
    session.add(A, PLANE)
    request = session.next_request()
    assert request is not None
    assert session.abandon(request)
    assert session.next_request() is None
    session.add(B, PLANE)
    assert session.next_request() is not None


def test_a_failure_for_clicks_of_before_abandons_nothing() -> None:
    session = ClickSession()
    session.add(A, PLANE)
    request = session.next_request()
    assert request is not None
    session.undo()
    session.add(B, PLANE)
    assert not session.abandon(request)
    assert session.next_request() is not None


def test_replace_by_the_same_is_no_edit() -> None:
    session, _ = clicked(A, B)
    session.undo()
    session.replace(session.clicks)
    assert session.can_redo


def test_bad_arguments_are_refused() -> None:
    session, _ = clicked(A)
    with pytest.raises(IndexError, match="click 1 of 1"):
        session.delete(1)
    with pytest.raises(IndexError, match="click -1 of 1"):
        session.move(-1, B)
    with pytest.raises(ValueError, match="object_id: 0"):
        session.object_id = 0
