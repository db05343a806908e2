"""Plateau scores: a spike is worth its surroundings, a hill is worth itself."""

from itertools import product
from statistics import median

import numpy as np
import pytest

from models.validation.plateau import Axis, default_neighbours, distances, plateau_scores


def test_distances_of_mixed_parameters():
    axes = [
        Axis("linear", (0, 5, 10)),
        Axis("log", (1, 10, 100)),
        Axis("rank", (1, 2, 50)),
        Axis("category", ("finite", "infinite", "finite")),
    ]
    half = [(0.5 + 0.5 + 0.5 + 1) / 4, (1 + 1 + 1 + 0) / 4, (0.5 + 0.5 + 0.5 + 1) / 4]
    expected = [[0, half[0], half[1]], [half[0], 0, half[2]], [half[1], half[2], 0]]
    np.testing.assert_allclose(distances(axes), expected, atol=1e-12)


def test_a_parameter_that_did_not_apply_is_far_from_every_value():
    np.testing.assert_allclose(
        distances([Axis("linear", (None, 1.0, 3.0, None))]),
        [[0, 1, 1, 0], [1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 1, 0]],
    )


def test_an_axis_on_which_nothing_differs_adds_nothing():
    np.testing.assert_allclose(distances([Axis("linear", (2, 2)), Axis("linear", (1, 3))]), [[0, 0.5], [0.5, 0]])


@pytest.mark.parametrize(("axes", "problem"), [([], "no axis"), ([Axis("log", (0.0, 1.0))], "above 0")])
def test_distances_that_are_not_there(axes, problem):
    with pytest.raises(ValueError, match=problem):
        distances(axes)


def test_scores_are_medians_of_the_nearest():
    random = np.random.default_rng(1)
    points, values = random.uniform(size=(30, 2)), random.normal(size=30)
    distance = distances([Axis("linear", tuple(points[:, 0])), Axis("linear", tuple(points[:, 1]))])
    scores = plateau_scores(values, distance, 4)
    for i in range(30):
        nearest = sorted((distance[i, j], j) for j in range(30) if j != i)[:4]
        assert scores[i] == pytest.approx(median([values[i], *(values[j] for _, j in nearest)]), abs=1e-12)


def test_a_spike_is_worth_its_surroundings_and_a_hill_itself():
    grid = list(product(range(9), range(9)))
    hill = np.array([10.0 - abs(x - 2) - abs(y - 2) for x, y in grid])
    spike = np.array([100.0 if point == (7, 7) else 0.0 for point in grid])
    distance = distances([Axis("rank", tuple(x for x, _ in grid)), Axis("rank", tuple(y for _, y in grid))])
    scores = plateau_scores(hill + spike, distance, 4)
    assert grid[int(np.argmax(hill + spike))] == (7, 7)
    assert grid[int(np.argmax(scores))] == (2, 2)
    assert scores[grid.index((2, 2))] == 9.0


def test_the_order_of_points_does_not_matter():
    grid = list(product(range(5), range(4)))
    values = np.random.default_rng(2).normal(size=len(grid))
    shuffled = np.random.default_rng(3).permutation(len(grid))

    def scores(order):
        axes = [Axis("linear", tuple(grid[i][axis] for i in order)) for axis in (0, 1)]
        return plateau_scores(values[order], distances(axes), 3)

    np.testing.assert_allclose(scores(shuffled), scores(np.arange(len(grid)))[shuffled])


def test_failed_neighbours_pull_down():
    distance = distances([Axis("linear", (0.0, 1.0, 2.0, 10.0, 11.0, 12.0))])
    scores = plateau_scores([1.0, 5.0, np.nan, np.nan, 9.0, np.nan], distance, 2)
    np.testing.assert_allclose(scores, [1.0, 1.0, 1.0, np.nan, np.nan, np.nan])


def test_too_few_points_have_no_neighbourhood():
    assert np.isnan(plateau_scores([1.0, 2.0], distances([Axis("linear", (0, 1))]), 2)).all()


@pytest.mark.parametrize(("parameters", "neighbours"), [(1, 3), (2, 4), (5, 10)])
def test_two_neighbours_per_parameter(parameters, neighbours):
    assert default_neighbours(parameters) == neighbours
