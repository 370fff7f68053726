"""Folders of images: what is read, what is left out and said, what is refused."""

import os
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.serving import ROOT
from trainer import catalog, decoding, hardware, layout, prepared
from trainer.__main__ import cli
from trainer.data import folder
from trainer.entries import DataError
from trainer.prepared import Places, ensure_prepared, load, register_folders
from trainer.spec import SpecError, parse


def fill(place: Path, colour: tuple[int, int, int], count: int, suffix: str = "png") -> None:
    """Images of 40×30 pixels about a colour, each another one."""
    place.mkdir(parents=True, exist_ok=True)
    seed = zlib.crc32(str(place).encode())
    for at in range(count):
        noise = np.random.default_rng([seed, at]).integers(-20, 20, (30, 40, 3))
        Image.fromarray(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)).save(place / f"{at:05}.{suffix}")


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Red cats and green dogs, ten of each."""
    place = tmp_path / "pets"
    fill(place / "cat", (200, 0, 0), 10)
    fill(place / "dog", (0, 200, 0), 10, "jpg")
    return place


def test_a_folder_a_class_is_read_resized_and_split_by_class(pets: Path) -> None:
    dataset, arrays = folder.read("folder:pets", pets.parent)
    images, labels, test_images, test_labels = arrays
    assert dataset.classes == ("cat", "dog")
    assert images.shape == (16, 3, 32, 32)
    assert test_images.shape == (4, 3, 32, 32)
    assert np.bincount(labels).tolist() == [8, 8]
    assert np.bincount(test_labels).tolist() == [2, 2]
    assert all(image[0].min() > 150 for image in images[labels == 0])
    assert dataset.mean[0] == pytest.approx((images[:, 0] / 255).mean(), abs=1e-3)
    again = folder.read("folder:pets", pets.parent)[1]
    assert all(np.array_equal(one, other) for one, other in zip(again, arrays, strict=True))
    assert dataset == folder.entry(folder.describe(dataset))


def test_side_and_grey_are_in_the_name(pets: Path) -> None:
    dataset, (images, *_) = folder.read("folder:pets@64-grey", pets.parent)
    assert dataset.shape == (1, 64, 64)
    assert images.shape == (16, 1, 64, 64)


def test_own_train_and_test_folders_are_kept_apart(tmp_path: Path) -> None:
    for part, count in (("train", 6), ("test", 3)):
        fill(tmp_path / "mine" / part / "a", (9, 9, 9), count)
        fill(tmp_path / "mine" / part / "b", (99, 99, 99), count)
    dataset, arrays = folder.read("folder:mine", tmp_path)
    assert (dataset.train_size, dataset.test_size) == (12, 6)
    assert arrays[3].tolist() == [0, 0, 0, 1, 1, 1]


def test_tiny_imagenets_layout_is_understood(tmp_path: Path) -> None:
    root = tmp_path / "tiny-imagenet-200"
    for name, shade in (("n01443537", 10), ("n01629819", 240)):
        fill(root / "train" / name / "images", (shade, 0, 0), 4, "JPEG")
        (root / "train" / name / f"{name}_boxes.txt").write_text("x")
    fill(root / "val" / "images", (240, 0, 0), 3, "JPEG")
    lines = [f"{at:05}.JPEG\tn01629819\t0\t0\t9\t9" for at in range(3)]
    (root / "val" / "val_annotations.txt").write_text("\n".join(lines))
    fill(root / "test" / "images", (0, 0, 0), 2, "JPEG")  # without labels: left alone
    dataset, arrays = folder.read("folder:tiny-imagenet-200@64", tmp_path)
    assert dataset.shape == (3, 64, 64)
    assert (dataset.train_size, dataset.test_size) == (8, 3)
    assert arrays[3].tolist() == [1, 1, 1]
    assert dataset.notes == ()


def spoil(place: Path) -> None:
    """A broken image, a text named .png, an image of 20,000×20,000 pixels, three empty classes."""
    whole = (place / "cat" / "00000.png").read_bytes()
    (place / "cat" / "broken.png").write_bytes(whole[: len(whole) // 2])
    (place / "dog" / "text.png").write_text("this is no image")
    Image.new("1", (20_000, 20_000)).save(place / "dog" / "huge.png")
    for name in ("fish", "bird", "horse"):
        (place / name).mkdir()


def test_a_few_bad_files_are_left_out_and_named(tmp_path: Path) -> None:
    place = tmp_path / "pets"
    fill(place / "cat", (200, 0, 0), 200)
    fill(place / "dog", (0, 200, 0), 200)
    spoil(place)
    dataset, arrays = folder.read("folder:pets", tmp_path)
    assert len(arrays[0]) + len(arrays[2]) == 400
    files, classes = dataset.notes
    assert files.startswith("3 files can't be used and are left out: ")
    assert "cat/broken.png (broken (" in files
    assert "dog/text.png (no PNG, JPEG, WebP, TIFF, GIF, BMP or PGM)" in files
    assert "dog/huge.png (20,000 × 20,000 pixels are too many)" in files
    assert classes == "Without an image, and left out: bird, fish, horse."


def test_many_bad_files_are_refused_by_name(pets: Path) -> None:
    spoil(pets)
    with pytest.raises(DataError, match=r"3 of 23 files that can't be used: .*text.png \(no PNG.*; mend or delete"):
        folder.read("folder:pets", pets.parent)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("folder:../etc", "../etc is a path: put the folder, or a link to it, into"),
        ("folder:/data/pets", "/data/pets is a path"),
        ("pets", "give folder:NAME"),
        (f"folder:{'x' * 300}", "at most 200, rename it"),
        ("folder:.ssh", "give folder:NAME"),
        ("folder:nothing", "does not exist: put the images there"),
        ("folder:one", "has 1 folder(s) with images"),
    ],
)
def test_a_folder_that_can_not_be_used_is_refused(pets: Path, name: str, words: str) -> None:
    fill(pets.parent / "one" / "only", (1, 1, 1), 2)
    with pytest.raises(DataError) as refused:
        folder.read(name, pets.parent)
    assert words in str(refused.value)


def test_what_torchvision_left_there_is_not_offered_as_a_folder_of_images(pets: Path) -> None:
    (pets.parent / "MNIST" / "raw").mkdir(parents=True)
    (pets.parent / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(b"x")
    (pets.parent / "cifar-10-python.tar.gz").write_bytes(b"x")
    assert folder.folders(pets.parent) == ["folder:pets"]


def test_links_to_elsewhere_are_not_followed(pets: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (9, 9)).save(secret)
    (pets / "cat" / "link.png").symlink_to(secret)
    dataset, _ = folder.read("folder:pets", pets.parent)
    assert dataset.train_size + dataset.test_size == 20


def test_a_folder_is_known_once_it_was_read_and_a_changed_one_is_not_mistaken_for_it(
    pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "DATASETS", dict(catalog.DATASETS))
    places = Places(tmp_path, tmp_path / "prepared")
    assert "folder:pets" in folder.folders(tmp_path)
    with pytest.raises(SpecError, match="that folder was not read yet"):
        parse({"dataset": "folder:pets"})
    ensure_prepared("folder:pets", places)
    spec = parse({"dataset": "folder:pets", "model": "cnn", "batch_size": 4})
    assert spec.steps_total == 4
    assert len(load("folder:pets", places)[0]) == 16

    monkeypatch.setattr(catalog, "DATASETS", {})
    assert register_folders(places) == []
    assert catalog.DATASETS["folder:pets@1"].train_size == 16
    (places.folder("folder:pets@1") / "checksums.json").unlink()  # as if the arrays had been deleted
    fill(pets / "cat", (200, 0, 0), 15)
    with pytest.raises(DataError, match="holds other images than when it was read as folder:pets@1"):
        ensure_prepared("folder:pets", places)
    places.description("folder:pets@1").write_text("{")
    assert "delete it and read the folder again" in register_folders(places)[0]


def annotated(place: Path, lines: str) -> Path:
    """Tiny ImageNet's layout, with these lines of annotations."""
    fill(place / "train" / "cat" / "images", (200, 0, 0), 300)
    fill(place / "train" / "dog" / "images", (0, 200, 0), 300)
    fill(place / "val" / "images", (0, 200, 0), 2)
    (place / "val" / "val_annotations.txt").write_text(f"00000.png\tdog\t0\n00001.png\tdog\t0\n{lines}")
    return place


@pytest.mark.mend("A7")
@pytest.mark.parametrize("named", ["pipe.png", "../../../../../../dev/zero", "/dev/zero", "secret.png"])
def test_a_file_that_would_never_end_is_left_out_and_named(tmp_path: Path, named: str) -> None:
    place = annotated(tmp_path / "tiny", f"{named}\tcat\t0\n")
    os.mkfifo(place / "val" / "images" / "pipe.png")
    os.mkfifo(place / "train" / "cat" / "images" / "pipe.png")
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    dataset, (_, _, test_images, _) = folder.read("folder:tiny", tmp_path)
    assert len(test_images) == 2
    said = "2 files can't be used and are left out: train/cat/images/pipe.png (not a file), val/images/"
    assert dataset.notes[0].startswith(said)
    assert dataset.notes[0].count("(not a file)") == 2


@pytest.mark.mend("A7")
def test_large_images_are_decoded_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for label in ("cat", "dog"):
        (tmp_path / "large" / label).mkdir(parents=True)
        for at in range(4):
            Image.new("L", (2100, 2000), at).save(tmp_path / "large" / label / f"{at}.png")
    at_work, most, lock, plain = 0, 0, threading.Lock(), decoding._plain

    def watched(image: Image.Image) -> Image.Image:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        found = plain(image)
        with lock:
            at_work -= 1
        return found

    monkeypatch.setattr(decoding, "_plain", watched)
    dataset, _ = folder.read("folder:large", tmp_path)
    assert dataset.train_size + dataset.test_size == 8
    assert most == 1


@pytest.mark.mend("A7")
def test_a_link_to_a_whole_disk_is_looked_at_a_little(
    pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / "disk"
    for at in range(120):
        (deep / "usr" / f"{at}").mkdir(parents=True)
        for one in range(50):
            (deep / "usr" / f"{at}" / f".{one}").touch()
    (pets.parent / "everything").symlink_to(deep)
    looked, wanted = [0], layout.is_wanted

    def counted(path: Path) -> bool:
        looked[0] += 1
        return wanted(path)

    monkeypatch.setattr(layout, "is_wanted", counted)
    assert folder.folders(pets.parent) == ["folder:pets"]
    assert looked[0] <= 3 * layout.MOST_LOOKED_AT


@pytest.mark.mend("A7")
def test_who_reads_a_data_set_may_take_so_much_memory_and_no_more() -> None:
    code = (
        "import numpy, resource; from trainer import hardware;"
        "assert 2**31 <= hardware.bound_memory() < 2**50;"
        "print(hardware.bound_memory(300 * 2**20)); numpy.ones(10 * 2**20); numpy.ones(100 * 2**20)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout.strip(), done.returncode) == (str(300 * 2**20), 1)
    assert "MemoryError" in done.stderr


@pytest.mark.mend("A7")
def test_a_data_set_that_takes_too_much_memory_is_refused_as_such(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def read(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(hardware, "bound_memory", lambda: 3 * 2**30)
    monkeypatch.setattr(folder, "read", read)
    done = CliRunner().invoke(cli, ["prepare", "folder:pets", "--datasets", str(tmp_path), "--prepared", str(tmp_path)])
    assert done.exit_code == 1
    assert "folder:pets@1 takes more than 3.0 GiB of memory" in done.stdout


@pytest.mark.mend("A7")
def test_who_prepares_ends_with_whoever_started_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "trainer", "prepare", "digits", "--ends-with-parent"]
    places = ["--datasets", str(tmp_path), "--prepared", str(tmp_path / "prepared")]
    with subprocess.Popen([*command, *places], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.close()  # as it is when the parent is gone
        assert process.wait(100) == 1
    assert not (tmp_path / "prepared").exists()


@pytest.mark.mend("A7")
def test_what_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "LONGEST_SECONDS", 0.05)
    with pytest.raises(DataError, match="ended with exit code -9"):
        ensure_prepared("digits", Places(tmp_path, tmp_path / "prepared"))
