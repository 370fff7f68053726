"""Data sets that torchvision downloads, unpacks and reads; each file is checked against its MD5."""

import hashlib
import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from trainer.entries import Arrays, DataError, Dataset


def torchvision_datasets() -> ModuleType:
    """`torchvision.datasets`, without the compiler that it would import."""
    from trainer import compiler

    compiler.put_off()
    return importlib.import_module("torchvision.datasets")


def read(dataset: Dataset, datasets: Path, how: Callable[[], Arrays]) -> Arrays:
    """What `how` gives, once the files' checksums are right. Raises DataError with the way out.

    `how` calls torchvision, which downloads what is absent and raises what it likes.
    """
    assert dataset.folder is not None
    folder = datasets / dataset.folder
    try:
        arrays = how()
        for file, md5 in dataset.files:
            if not _intact(folder / file, md5):
                raise _damaged(folder / file, dataset)
        return arrays
    except (RuntimeError, OSError, EOFError) as error:
        damaged = [file for file, md5 in dataset.files if (folder / file).exists() and not _intact(folder / file, md5)]
        if damaged:
            raise _damaged(folder / damaged[0], dataset) from error
        names = ", ".join(Path(archive).name for archive in dataset.archives)
        raise DataError(
            f"{dataset.name} could not be downloaded ({_last_line(error)}): "
            f"put {names} into {(datasets / dataset.archives[0]).parent}, "
            "or use the data set digits, which needs no download"
        ) from error
    except (AssertionError, ValueError) as error:  # torchvision's reader met bytes it doesn't understand
        broken = next((file for file, md5 in dataset.files if not _intact(folder / file, md5)), dataset.files[0][0])
        raise _damaged(folder / broken, dataset) from error


def _intact(path: Path, md5: str | None) -> bool:
    if md5 is None:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest() == md5


def _damaged(path: Path, dataset: Dataset) -> DataError:
    of_it = [Path(archive).name for archive in dataset.archives if Path(archive).name == f"{path.name}.gz"]
    archive = of_it[0] if of_it else Path(dataset.archives[0]).name
    return DataError(
        f"{path} is damaged (its checksum differs): delete it and {archive}, they are downloaded again, "
        "or put a good copy there"
    )


def _last_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
