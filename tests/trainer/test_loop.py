from typing import Any

import numpy as np
import pytest
import torch

from trainer import catalog, devices, loop
from trainer.evaluate import evaluate
from trainer.loaded import LoadedData
from trainer.permutation import permutation
from trainer.prepared import Places, load
from trainer.spec import parse

CPU = torch.device("cpu")


def run(places: Places, **given: Any) -> tuple[list[loop.Measurement], loop.State]:
    spec = parse(given)
    devices.make_repeatable(spec)
    state = loop.start(spec, CPU)
    data = LoadedData(spec, load(spec.dataset, places), CPU)
    return [measured for measured in loop.train(spec, data, state) if measured], state


@pytest.mark.parametrize("model", ["fc", "cnn"])
def test_every_batch_is_measured_once_and_every_epoch_tested(places: Places, model: str) -> None:
    measured, _ = run(places, model=model, epochs=2, batch_size=100)
    losses = [m for m in measured if m.name == "train/loss"]
    assert [m.step for m in losses] == list(range(1, 145))  # 7,185 images: 72 batches an epoch, the last of 85
    norms = [m for m in measured if m.name == "train/gradient_norm"]
    assert [m.step for m in norms] == [m.step for m in losses]
    assert all(m.value > 0 for m in norms)
    assert [m.step for m in measured if m.name == "early/accuracy"] == [14, 29, 43, 58, 86, 101, 115, 130]
    assert [(m.name, m.step) for m in measured if m.name.startswith("test/")] == [
        ("test/loss", 72),
        ("test/accuracy", 72),
        ("test/loss", 144),
        ("test/accuracy", 144),
    ]
    times = [m.time for m in measured]
    assert times == sorted(times)
    assert losses[-1].value < losses[0].value


@pytest.mark.parametrize("model", ["cnn", "resnet"])
def test_testing_early_changes_no_bit(places: Places, monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    spec, arrays = parse({"model": model, "batch_size": 20, "crop_padding": 2}), load("digits", places)
    devices.make_repeatable(spec, threads=1)
    monkeypatch.setattr(loop, "EARLY_IMAGES", 20)
    found = []
    for early in (frozenset({1, 2}), frozenset[int]()):
        monkeypatch.setattr(loop, "early_steps", lambda _, early=early: early)
        data, state, measured = LoadedData(spec, arrays, CPU), loop.start(spec, CPU), []
        for one in loop.train(spec, data, state):
            if one is not None:
                measured.append((one.name, one.step, one.value))
            elif state.step == 3:
                break
        found.append((measured, state.model.state_dict()))
    (tested, weights), (plain, plain_weights) = found
    assert [one[:2] for one in tested if one not in plain] == [("early/accuracy", 1), ("early/accuracy", 2)]
    assert [one for one in tested if one[0] != "early/accuracy"] == plain
    assert all(map(torch.equal, weights.values(), plain_weights.values()))


def test_only_a_short_run_is_tested_early() -> None:
    assert loop.early_steps(parse({"epochs": 3})) == frozenset()
    assert len(loop.early_steps(parse({"epochs": 1}))) == 9
    assert len(loop.early_steps(parse({"epochs": 2}))) == 8, "the half of it is the end of an epoch"
    assert loop.early_steps(parse({"epochs": 1, "batch_size": 7185})) == frozenset()


def test_some_images_are_evenly_spaced_over_the_test_set(places: Places) -> None:
    spec, arrays = parse({"model": "fc", "epochs": 1}), load("digits", places)
    data, state = LoadedData(spec, arrays, torch.device("cpu")), loop.start(spec, torch.device("cpu"))
    *_, whole = evaluate(spec, state.model, data)
    *_, some = evaluate(spec, state.model, data, most=500)
    assert whole is not None
    assert some is not None
    every = -(-len(arrays[3]) // 500)
    assert np.array_equal(some.predicted, whole.predicted[::every])
    assert some.accuracy == pytest.approx((whole.predicted == arrays[3])[::every].mean())


def test_the_same_spec_gives_the_same_bits_and_another_seed_does_not(places: Places) -> None:
    first, first_state = run(places, seed=5, pixel_order="shuffled")
    again, again_state = run(places, seed=5, pixel_order="shuffled")
    other, _ = run(places, seed=6, pixel_order="shuffled")
    assert [m.value for m in first] == [m.value for m in again]
    assert all(
        torch.equal(a, b) for a, b in zip(first_state.model.parameters(), again_state.model.parameters(), strict=True)
    )
    assert [m.value for m in first] != [m.value for m in other]


def test_shuffling_moves_every_image_by_the_same_permutation(places: Places) -> None:
    arrays = load("digits", places)
    spec = parse({"pixel_order": "shuffled", "permutation_seed": 9})
    data = LoadedData(spec, arrays, CPU)
    order = permutation(9, 784)
    assert np.array_equal(data.images.flatten(1).numpy(), arrays[0].reshape(-1, 784)[:, order])
    plain = LoadedData(parse({}), arrays, CPU)
    (tests, _), (before, _) = (one.batch_of("test", slice(None)) for one in (data, plain))
    assert torch.equal(tests.flatten(2), before.flatten(2)[:, :, order])
    assert sorted(order) == list(range(784))


def test_a_batch_is_normalised(places: Places) -> None:
    arrays, dataset = load("digits", places), catalog.DATASETS["digits"]
    images, labels = LoadedData(parse({}), arrays, CPU).batch(torch.tensor([3, 5]))
    expected = (arrays[0][[3, 5]] / 255 - dataset.mean) / dataset.std
    assert np.allclose(images.numpy(), expected, atol=1e-5)
    assert labels.tolist() == arrays[1][[3, 5]].tolist()


def test_a_loss_that_is_no_number_ends_the_training_at_its_step(places: Places) -> None:
    seen: list[loop.Measurement] = []
    spec = parse({"model": {"name": "fc", "n_hidden": 512}, "optimizer": {"lr": 100, "momentum": 0.99}})
    data = LoadedData(spec, load("digits", places), CPU)
    with pytest.raises(loop.Diverged, match=r"loss became (NaN|infinite) at step \d+") as caught:
        seen.extend(m for m in loop.train(spec, data, loop.start(spec, CPU)) if m)
    assert [m.step for m in seen if m.name == "train/loss"] == list(range(1, caught.value.step))


def test_a_device_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"device is 'cuda:77': there is no such device; choose auto or .*cpu"):
        devices.choose("cuda:77")


def test_the_gradient_s_norm_is_that_before_it_is_clipped(places: Places) -> None:
    free, _ = run(places, epochs=1)
    clipped, _ = run(places, epochs=1, gradient_clip=0.01)
    norms = [[m.value for m in measured if m.name == "train/gradient_norm"] for measured in (free, clipped)]
    assert norms[0][0] == norms[1][0] > 0.01, "the first step's is the same"
    spec = parse({"epochs": 1})
    state = loop.start(spec, CPU)
    data = LoadedData(spec, load("digits", places), CPU)
    next(iter(loop.train(spec, data, state)))
    given = [float(weights.grad.norm()) for weights in state.model.parameters() if weights.grad is not None]
    assert norms[0][0] == pytest.approx(np.linalg.norm(given), rel=1e-6)


def test_float32_is_not_rounded_to_tf32() -> None:
    devices.make_repeatable(parse({}))
    backends = torch.backends
    assert backends.cuda.matmul.fp32_precision == backends.cudnn.conv.fp32_precision == "ieee"
    assert not backends.cudnn.allow_tf32  # can be read: in some versions of PyTorch not all settings go together
