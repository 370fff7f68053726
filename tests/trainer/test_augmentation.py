"""Random crops and flips: pixel by pixel and in distribution as torchvision's, and from the seed alone."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from trainer.loaded import Augmented, LoadedData, drawn
from trainer.permutation import permutation
from trainer.prepared import Places, load
from trainer.spec import RunSpec, parse

CPU = torch.device("cpu")


def spec_of(**given: Any) -> RunSpec:
    return parse({"dataset": "digits", "crop_padding": 4, "flip": "horizontal", **given})


def test_each_image_is_padded_cut_and_mirrored_as_it_was_drawn() -> None:
    images = torch.randint(0, 256, (50, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    indices = torch.tensor([7, 3, 3, 49, 0])
    given = Augmented(spec_of(), 2, 50, CPU)(images[indices], indices)
    top, left, flipped = drawn(spec_of(), 2, 50)
    for image, index in zip(given, indices.tolist(), strict=True):
        whole = functional.pad(images[index], (4, 4, 4, 4))
        expected = whole[:, top[index] : top[index] + 32, left[index] : left[index] + 32]
        assert torch.equal(image, expected.flip(2) if flipped[index] else expected)
    assert len({(top[i], left[i], flipped[i]) for i in range(50)}) > 30


def test_what_is_drawn_is_spread_evenly_and_another_in_each_epoch_and_of_each_seed() -> None:
    top, left, flipped = drawn(spec_of(), 0, 90_000)
    for offsets in (top, left):
        counts = np.bincount(offsets, minlength=9)
        assert len(counts) == 9
        assert abs(counts - 10_000).max() < 500  # five standard deviations
    assert abs(int(flipped.sum()) - 45_000) < 750
    assert abs(np.corrcoef([top, left, flipped])[np.triu_indices(3, 1)]).max() < 0.02
    assert np.array_equal(top, drawn(spec_of(), 0, 90_000)[0])
    assert not np.array_equal(top, drawn(spec_of(), 1, 90_000)[0])
    assert not np.array_equal(top, drawn(spec_of(seed=2), 0, 90_000)[0])


def test_ten_thousand_samples_have_the_mean_and_deviation_of_torchvisions() -> None:
    from torchvision.transforms import v2

    generator = torch.Generator().manual_seed(3)
    image = (torch.rand(3, 32, 32, generator=generator) * 255).byte()
    torch.manual_seed(4)
    transform = v2.Compose([v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip()])
    theirs = torch.stack([transform(image) for _ in range(10_000)]).float()
    ours = Augmented(spec_of(), 0, 10_000, CPU)(image.expand(10_000, 3, 32, 32), torch.arange(10_000)).float()
    # Both means have a standard error of at most 127 / 100 a pixel
    assert (ours.mean(dim=0) - theirs.mean(dim=0)).abs().max() < 5 * 2**0.5 * 1.27
    assert (ours.std(dim=0) - theirs.std(dim=0)).abs().max() < 7
    assert ours.mean() == pytest.approx(float(theirs.mean()), rel=0.002)
    assert ours.std() == pytest.approx(float(theirs.std()), rel=0.002)


def test_pixels_are_shuffled_after_they_were_cropped(places: Places) -> None:
    arrays, indices = load("digits", places), torch.arange(20)
    plain, shuffled = (LoadedData(spec_of(pixel_order=order), arrays, CPU) for order in ("original", "shuffled"))
    images, labels = plain.batch(indices)
    moved, same_labels = shuffled.batch(indices)
    assert torch.equal(moved.flatten(1), images.flatten(1)[:, permutation(1, 784)])
    assert torch.equal(labels, same_labels)
    plain.draw(1)
    assert not torch.equal(images, plain.batch(indices)[0])


def test_test_images_are_left_as_they_are(places: Places) -> None:
    arrays = load("digits", places)
    given, _ = LoadedData(spec_of(normalization="half"), arrays, CPU).batch_of("test", slice(0, 5))
    assert np.allclose(given.numpy(), arrays[2][:5] / 255 * 2 - 1, atol=1e-6)
