"""python -m benchmarks.dataloader DATASETS: one epoch of a net through Runyard, against a script with a DataLoader.

The script does what the tutorial does: torchvision's data set and transforms, a DataLoader with two worker processes, a
plain training loop that looks at every loss, a test at the end. Runyard's epoch is a run's, from its first batch to its
end: recording, checkpoints, test and predictions included. CIFAR-10, both in one go; DATASETS is a directory in
torchvision's layout. Run it on an otherwise idle machine: it takes about ten minutes.
"""

import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.serving import Server, serving, until
from trainer import catalog
from trainer.prepared import Places, ensure_prepared
from trainer.presets import PRESETS

RECIPES = {preset.name: preset for preset in PRESETS}
LIMITS = {"cifar10-net": 1 / 3, "cifar10-vgg": 1 / 2}


def of_script(recipe: dict[str, Any], datasets: str) -> float:
    """Seconds of one epoch and its test as the tutorial has them."""
    import torch
    from torch.nn import functional
    from torch.utils.data import DataLoader
    from torchvision import transforms
    from torchvision.datasets import CIFAR10

    from trainer import loop
    from trainer.spec import parse

    spec = parse({**recipe, "epochs": 1})
    dataset, half = catalog.DATASETS["cifar10"], [0.5] * 3
    mean, std = (half, half) if spec.normalization == "half" else (dataset.mean, dataset.std)
    normalize = transforms.Normalize(mean, std)
    plain = transforms.Compose([transforms.ToTensor(), normalize])
    cropped = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()] if spec.augments else []
    train = CIFAR10(datasets, train=True, transform=transforms.Compose([*cropped, *plain.transforms]))
    test = CIFAR10(datasets, train=False, transform=plain)
    batches = DataLoader(train, batch_size=spec.batch_size, shuffle=True, num_workers=2)
    tests = DataLoader(test, batch_size=1000, num_workers=2)
    net = loop.build(spec).to(memory_format=torch.contiguous_format)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001)
    began = time.perf_counter()
    for images, labels in batches:
        optimizer.zero_grad()
        loss = functional.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()
    net.eval()
    with torch.no_grad():
        right = sum(int((net(images).argmax(1) == labels).sum()) for images, labels in tests)
    took = time.perf_counter() - began
    print(f"    accuracy {right / len(test):.2%}")
    return took


def await_idle(server: Server) -> None:
    """At its start a server reads what lies in the directory of data sets."""
    until(lambda: not any(one["preparing"] for one in server.call("GET", "/datasets")["items"]), "it is idle")


def of_runyard(home: Path, places: Places, recipe: dict[str, Any]) -> dict[str, Any]:
    """A run of one epoch."""
    with serving(home, places.prepared, RUNYARD_DATASETS=str(places.datasets)) as server:
        await_idle(server)
        run_id = server.launch(**{**recipe, "epochs": 1})
        while (run := server.run(run_id))["ended_at"] is None:
            time.sleep(3)  # whoever asks often takes a part of the processor
    assert run["status"] == "succeeded", run["cause"]
    return run


def main(datasets: str) -> None:
    with tempfile.TemporaryDirectory() as root:
        places = Places(Path(datasets).absolute(), Path(root) / "prepared")
        ensure_prepared("cifar10", places)
        for name, limit in LIMITS.items():
            recipe = dict(RECIPES[name].base)
            script = of_script(recipe, datasets)
            print(f"{name}: script {script:.1f} s", flush=True)
            own = recipe.get("precision", "float32")
            for precision in (own, "bfloat16" if own == "float32" else "float32"):
                run = of_runyard(Path(root) / name / precision, places, {**recipe, "precision": precision})
                accuracy = run["summary"]["test/accuracy"]["last"]
                print(
                    f"{name}: Runyard, {run['attempts'][0]['environment']['precision']}"
                    f"{' (the preset)' if precision == own else ''} {run['seconds']:.1f} s, accuracy {accuracy:.2%}; "
                    f"ratio {run['seconds'] / script:.2f}, at most {limit:.2f}",
                    flush=True,
                )
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, n = 1")


if __name__ == "__main__":
    main(sys.argv[1])
