import dataclasses
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from torchvision.datasets import CIFAR100, KMNIST, SVHN

from tests.conftest import REAL, needs_cifar10, needs_mnist
from trainer import catalog
from trainer.entries import DataError
from trainer.prepared import PARTS, Places, load, save


@pytest.fixture
def own(places: Places, tmp_path: Path) -> Places:
    """Directories of this test alone, with digits prepared."""
    shutil.copytree(places.folder("digits"), tmp_path / "prepared" / places.folder("digits").name)
    return Places(tmp_path / "datasets", tmp_path / "prepared")


def test_digits_are_as_the_catalogue_says(places: Places) -> None:
    dataset = catalog.DATASETS["digits"]
    images, labels, test_images, test_labels = load("digits", places)
    assert images.shape == (dataset.train_size, *dataset.shape)
    assert test_images.shape == (dataset.test_size, *dataset.shape)
    assert images.dtype == np.uint8
    assert set(labels.tolist()) == set(test_labels.tolist()) == set(range(10))
    assert [(images / 255).mean()] == pytest.approx(dataset.mean, abs=1e-4)
    assert [(images / 255).std()] == pytest.approx(dataset.std, abs=1e-4)


def test_no_digit_is_in_both_parts(places: Places) -> None:
    def shapes(images: np.ndarray) -> set[bytes]:  # type: ignore[type-arg]
        found = set()
        for (image,) in images:
            rows, columns = np.nonzero(image.any(axis=1))[0], np.nonzero(image.any(axis=0))[0]
            found.add(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].tobytes())
        return found

    images, _, test_images, _ = load("digits", places)
    assert not shapes(images[::5]) & shapes(test_images[::5])


@pytest.mark.parametrize("part", PARTS)
def test_a_flipped_byte_in_prepared_arrays_is_refused(own: Places, part: str) -> None:
    path = own.folder("digits") / f"{part}.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{part}.npy is damaged .*delete the folder"):
        load("digits", own)


@pytest.mark.parametrize("damage", ["a flipped byte", "cut short", "no header"])
@needs_mnist
def test_a_damaged_mnist_file_is_named(tmp_path: Path, damage: str) -> None:
    places = Places(tmp_path / "datasets", tmp_path / "prepared")
    raw = places.datasets / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file, _ in catalog.DATASETS["mnist"].files:
        shutil.copy(Path(REAL) / "MNIST" / "raw" / file, raw)
    path = raw / "train-labels-idx1-ubyte"
    content = bytearray(path.read_bytes())
    if damage == "a flipped byte":
        content[5000] ^= 1
    elif damage == "cut short":
        del content[5000:]
    else:
        content[:8] = b"not idx!"
    path.write_bytes(content)
    dataset = catalog.DATASETS["mnist"]
    with pytest.raises(DataError, match="train-labels-idx1-ubyte is damaged"):
        dataset.prepare(dataset, places.datasets)


@needs_mnist
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_real_data_is_read(places: Places, name: str) -> None:
    dataset = catalog.DATASETS[name]
    images, _, test_images, _ = load(name, places)
    assert (len(images), len(test_images)) == (60_000, 10_000)
    assert [(images / 255).mean()] == pytest.approx(dataset.mean, abs=1e-3)
    assert [(images / 255).std()] == pytest.approx(dataset.std, abs=1e-3)


@needs_cifar10
def test_real_photographs_are_read(places: Places) -> None:
    dataset = catalog.DATASETS["cifar10"]
    images, labels, test_images, test_labels = load("cifar10", places)
    assert images.shape == (50_000, *dataset.shape)
    assert test_images.shape == (10_000, *dataset.shape)
    assert np.bincount(labels).tolist() == [5000] * 10
    assert np.bincount(test_labels).tolist() == [1000] * 10
    pixels = images / np.float32(255)
    assert pixels.mean(axis=(0, 2, 3)) == pytest.approx(dataset.mean, abs=1e-4)
    assert pixels.std(axis=(2, 3)).mean(axis=0) == pytest.approx(dataset.std, abs=1e-3)


@needs_cifar10
def test_a_damaged_batch_of_photographs_is_named_and_not_unpickled(tmp_path: Path) -> None:
    places = Places(tmp_path / "datasets", tmp_path / "prepared")
    shutil.copytree(Path(REAL) / "cifar-10-batches-py", places.datasets / "cifar-10-batches-py")
    path = places.datasets / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR." + path.read_bytes())
    with pytest.raises(DataError, match=r"data_batch_3 is damaged .* delete it and cifar-10-python.tar.gz"):
        load("cifar10", places)
    assert not Path("pwned").exists()
    assert not places.is_prepared("cifar10")


def test_checksums_and_classes_are_those_of_torchvision() -> None:
    svhn, cifar100 = catalog.DATASETS["svhn"], catalog.DATASETS["cifar100"]
    assert list(svhn.files) == [tuple(SVHN.split_list[split][1:]) for split in ("train", "test")]
    assert list(cifar100.files[:2]) == [tuple(one) for one in (*CIFAR100.train_list, *CIFAR100.test_list)]
    assert cifar100.files[2] == (CIFAR100.meta["filename"], CIFAR100.meta["md5"])
    assert cifar100.archives == (CIFAR100.filename,)
    assert catalog.DATASETS["kmnist"].classes == tuple(KMNIST.classes)
    assert len(set(cifar100.classes)) == 100


def test_kmnist_is_read_from_its_files(tmp_path: Path) -> None:
    raw = tmp_path / "KMNIST" / "raw"
    raw.mkdir(parents=True)
    images = np.random.default_rng(1).integers(0, 256, (5, 28, 28), np.uint8)
    labels = np.array([3, 1, 4, 1, 5], np.uint8)
    for part in ("train", "t10k"):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(
            b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in images.shape) + images.tobytes()
        )
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01" + (5).to_bytes(4, "big") + labels.tobytes())
    dataset = catalog.DATASETS["kmnist"]
    found = dataset.prepare(dataset, tmp_path)
    assert np.array_equal(found[0][:, 0], images)
    assert found[3].tolist() == labels.tolist()
    with pytest.raises(DataError, match=r"kmnist has 5 \+ 5 images, not the number it should have"):
        save("kmnist", Places(tmp_path, tmp_path / "prepared"), found)


def test_svhn_is_read_from_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "svhn"
    folder.mkdir()
    images = np.random.default_rng(1).integers(0, 256, (32, 32, 3, 4), np.uint8)
    sums = {}
    for split in ("train", "test"):
        path = folder / f"{split}_32x32.mat"
        savemat(path, {"X": images, "y": np.array([[1], [10], [3], [10]], np.uint8)})  # 10 stands for the digit 0
        sums[path.name] = hashlib.md5(path.read_bytes()).hexdigest()
    lists = {split: ["", f"{split}_32x32.mat", sums[f"{split}_32x32.mat"]] for split in ("train", "test")}
    monkeypatch.setattr(SVHN, "split_list", lists)
    dataset = dataclasses.replace(catalog.DATASETS["svhn"], files=tuple(sums.items()))
    found = dataset.prepare(dataset, tmp_path)
    assert found[1].tolist() == [1, 0, 3, 0]
    assert np.array_equal(found[0], images.transpose(3, 2, 0, 1))
