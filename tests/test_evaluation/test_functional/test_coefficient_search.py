"""The search for coefficients."""

import torch

from mmmutual.evaluation.functional import ensemble_scores, search_coefficients, topk_accuracy


def accuracy(members, coefficients, labels, softmax=False):
    return topk_accuracy(ensemble_scores(members, coefficients, softmax), labels, (1,))[1]


def noisy(generator, labels, strength, scale=1.0):
    scores = torch.randn(len(labels), 6, generator=generator)
    scores[torch.arange(len(labels)), labels] += strength
    return scale * scores


def test_a_loud_member_of_noise_is_turned_down():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(6, (400,), generator=generator)
    members = [noisy(generator, labels, 3.0), noisy(generator, labels, 0.0, scale=10.0)]
    found = search_coefficients(members, labels)
    alone = accuracy(members[:1], [1.0], labels)
    assert accuracy(members, [1.0, 1.0], labels) < alone - 0.2
    assert accuracy(members, found, labels) >= alone
    assert found[1] < 0.05 * found[0]


def test_no_other_value_of_one_coefficient_is_better():
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(6, (60,), generator=generator)
    members = [noisy(generator, labels, strength) for strength in (1.0, 2.0, 0.5)]
    values = (0.0, 1.0, 2.0, 4.0, 8.0)
    found = search_coefficients(members, labels, values=values)
    reached = accuracy(members, found, labels)
    assert reached > accuracy(members, [1.0] * 3, labels)
    for m in range(3):
        others = [accuracy(members, [*found[:m], value, *found[m + 1 :]], labels) for value in values]
        assert reached == max(others)


def test_equal_members_stay_equal():
    labels = torch.tensor([0, 1, 2])
    assert search_coefficients([torch.eye(3)] * 3, labels) == [1.0] * 3


def test_softmax_is_searched_as_it_is_used():
    generator = torch.Generator().manual_seed(2)
    labels = torch.randint(6, (200,), generator=generator)
    members = [noisy(generator, labels, 2.0), noisy(generator, labels, 0.0, scale=100.0)]
    found = search_coefficients(members, labels, softmax=True)
    assert accuracy(members, found, labels, softmax=True) > accuracy(members, [1.0, 1.0], labels, softmax=True)
