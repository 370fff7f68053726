"""python -m benchmarks [PART…]: what Runyard does, how quickly, beside the tutorial's script and other trackers.

    training    epochs, first losses and 20 runs against the script and the loop alone        needs --datasets
    recording   what it takes of a worker; 100,000 points and charts, against --peers
    answers     from a commit to its event, lists at 100 and 10,000 runs
    pages       weight, first paint, layout shift and longest task of each page

All of them without a PART. --quick takes under two minutes and says little: digits, once each, short series. The tables
come last, in Markdown; docs/benchmarks.md is made of them. Run it on an otherwise idle machine (`make bench`).
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import answers, pages, recording, training
from benchmarks.report import Report
from trainer.prepared import Places


def trainings(report: Report, asked: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as root:
        places = Places(asked.datasets, Path(root) / "prepared")
        times = 1 if asked.quick else asked.times
        bench = training.Bench(report, places, Path(root), small=asked.quick, times=times)
        for part in ("mnist", "net") if asked.quick else ("mnist", "net", "vgg"):
            report.attempt(part, lambda part=part: training.measure(bench, part))


def recordings(report: Report, asked: argparse.Namespace) -> None:
    quick, times = asked.quick, 1 if asked.quick else asked.times
    report.attempt("share", lambda: recording.share(report, asked.datasets, 1 if quick else 9, quick))
    points = 10_000 if quick else 100_000
    report.attempt("peers", lambda: recording.against_peers(report, asked.peers, points, times))
    lengths = (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000)
    report.attempt("charts", lambda: recording.charts(report, lengths))


def answering(report: Report, asked: argparse.Namespace) -> None:
    report.attempt("live", lambda: answers.live(report, (1,) if asked.quick else (1, 100)))
    report.attempt("lists", lambda: answers.lists(report, (100,) if asked.quick else (100, 10_000)))


def paging(report: Report, asked: argparse.Namespace) -> None:
    report.attempt("pages", lambda: pages.pages(report, *((1000, 1) if asked.quick else (10_000, asked.times))))


PARTS: dict[str, Callable[[Report, argparse.Namespace], None]] = {
    "training": trainings,
    "recording": recordings,
    "answers": answering,
    "pages": paging,
}


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[[], *PARTS], help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--datasets", type=Path, default=Path(".runyard/datasets"), help="in torchvision's layout")
    parser.add_argument("--peers", type=Path, help="a Python that has tensorboard and trackio")
    parser.add_argument("--times", type=int, default=5, help="of each figure; its median is told")
    asked = parser.parse_args(words)
    asked.datasets = asked.datasets.absolute()
    report = Report()
    for part in asked.parts or PARTS:
        PARTS[part](report, asked)
    report.end()


if __name__ == "__main__":
    main()
