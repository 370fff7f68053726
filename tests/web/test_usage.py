"""What a run uses of the machine: told of itself in a sentence, and left out where training is meant."""

import csv
import io

import pytest

from app.web.usage import sentence
from tests.serving import Server, until
from trainer.metrics import CORES, GPU, GPU_MEMORY, MEMORY, POWER


@pytest.mark.parametrize(
    ("cores", "threads", "gpu", "said"),
    [
        (0.97, 1, {}, "1.0 of 1 CPU core busy, 513 MB of memory"),
        (0.4, 1, {}, "0.4 of 1 CPU core busy: the disk or other programs keep it waiting, 513 MB of memory"),
        (1.9, 2, {}, "1.9 of 2 CPU cores busy, 513 MB of memory"),
        (1.0, 1, {GPU: 0.31}, "GPU 31% busy: it waits for the CPU, 1.0 CPU cores, 513 MB of memory"),
        (0.2, 1, {GPU: 0.31}, "GPU 31% busy, 0.2 CPU cores, 513 MB of memory"),
        (
            *(1.0, 2, {GPU: 0.97, GPU_MEMORY: 4123.0, POWER: 211.6}),
            "GPU 97% busy, 1.0 CPU cores, 513 MB of memory and 4.1 GB on the GPU, 212 W",
        ),
    ],
)
def test_one_sentence_says_it(cores: float, threads: int, gpu: dict[object, float], said: str) -> None:
    means = {CORES.name: cores, MEMORY.name: 513.0, **{metric.name: value for metric, value in gpu.items()}}  # type: ignore[attr-defined]
    assert sentence(means, threads, is_on_gpu=GPU in gpu) == said


def test_it_is_seen_while_a_run_trains_and_is_no_part_of_its_training(server: Server) -> None:
    first = server.launch(model="cnn", dataset="digits", epochs=5000)
    used = until(lambda: (found := server.call("GET", f"/runs/{first}/usage"))["samples"] >= 2 and found, "two samples")
    assert (used["of"], sorted(used["items"])) == ("start", [CORES.name, MEMORY.name])
    cores, memory = used["items"][CORES.name], used["items"][MEMORY.name]
    assert 0 < cores["mean"] <= cores["highest"] < 64
    assert 50 < memory["mean"] <= memory["highest"] < 10_000
    assert used["sentence"].endswith(" MB of memory")
    server.call("POST", f"/runs/{first}/stop")
    server.wait_for(first, "stopped")
    assert server.call("GET", f"/runs/{first}/usage")["of"] == "run"
    assert server.call("GET", f"/runs/{server.launch(dataset='digits', epochs=1)}/usage")["sentence"] is None

    def exported(**params: object) -> set[str]:
        with server.api() as client:
            text = client.get("/export", params={"run": first, **params}).text
        return {row["metric"] for row in csv.DictReader(io.StringIO(text))}

    assert exported() == {"train/loss", "train/gradient_norm", *(exported() & {"test/loss", "test/accuracy"})}
    assert exported(system=True) - exported() == {CORES.name, MEMORY.name}
    with server.api() as client:
        columns = client.get("/export", params={"run": first, "what": "runs"}).text.splitlines()[0]
    assert "system/" not in columns
    compared = server.call("GET", "/compare", params={"run": first})
    assert not any(name.startswith("system/") for name in [*compared["series"], *compared["metrics"]])
    assert not any(name.startswith("system/") for name in compared["groups"][0]["metrics"])
