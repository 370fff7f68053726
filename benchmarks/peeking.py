"""What looking after every seed does: prints the figures of docs/how-sure.md and draws its picture.

make peeking                       # or: python -m benchmarks.peeking [EXPERIMENTS] [--draw]
"""

import argparse
from pathlib import Path

from app.compare import best, race, simulation, tree
from app.compare.groups import differing
from app.compare.peeking import Peeked, asked, peeked
from app.compare.words import verdict
from app.web.api.compare import names

PICTURE = Path(__file__).parents[1] / "docs" / "peeking.svg"
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 300, 44, 28, 190, 36
HIGHEST = 0.32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("experiments", type=int, nargs="?", default=20_000)
    parser.add_argument("--draw", action="store_true", help="write docs/peeking.svg")
    given = parser.parse_args()
    found = peeked(given.experiments)
    print(f"{given.experiments:,} experiments with two equal configurations, looked at after every seed from 2 on")
    print("seeds   one look, planned   ordinary, every look   valid while watched")
    for at in (0, 2, 3, 8, 18, 28):
        planned, ordinary, sequence = 1 - found.single[at], found.ordinary[at], found.sequence[at]
        print(f"{found.seeds[at]:>5}   {planned:>17.1%}   {ordinary:>20.1%}   {sequence:>19.1%}")
    print()
    print("Ask until answered: at most 30 seeds, smallest difference 1 deviation of the paired differences")
    print("difference   told apart   the right way   no difference that matters   seeds, median")
    questions = max(500, given.experiments // 4)
    for difference in (0, 1, 2, 5):
        one = asked(questions, difference)
        right = f"{one.right_way:.1%}" if difference else "–"
        print(
            f"{difference:>10}   {one.told_apart:>10.1%}   {right:>13}   {one.no_difference:>26.1%}   "
            f"{one.median_seeds or 0:>13.0f}"
        )
    print()
    _pages(given.experiments)
    print()
    _several(given.experiments)
    print()
    _shapes(given.experiments)
    if given.draw:
        PICTURE.write_text(drawn(found, given.experiments))
        print(f"\n{PICTURE.relative_to(Path.cwd())} is written")


def _pages(experiments: int) -> None:
    """Whole pages: two nets and a knob, five differences decided together."""
    pages = experiments // 4
    wrong = 0
    for groups, measure, plan, smallest in simulation.experiments(pages):
        known = tree.make(groups, measure, plan, smallest)
        varied = list(differing(groups))
        wrong += bool(simulation.contradictions(known, verdict(known, names(varied))))
    print(f"{pages:,} pages of experiments at random: {wrong} contradict themselves")
    print("Two nets and a knob, nothing differs, five differences decided together:")
    print("                         some claim   all intervals hold")
    for name, found in (
        ("fixed, 5 seeds", simulation.fixed(experiments)),
        ("watched, 2 to 20 seeds", simulation.watched(experiments)),
    ):
        print(f"{name:<22}   {found.claimed:>10.1%}   {found.covered:>18.1%}")
    for shape, words in (("gaussian", "clean"), ("diverging", "one run in 20 diverging")):
        share = simulation.answered(experiments, 2.0, shape=shape)
        print(f"2 deviations apart, watched, {words}: answered within 20 seeds in {share:.1%}")


def _several(experiments: int) -> None:
    """The set that may be best."""
    print("Which of several may be best, seeds fixed beforehand, means that spread by so many deviations of a run:")
    print("configurations   seeds   means spread   runs spread   the true best is ruled out   others ruled out")
    for configurations, seeds, spread, unlike in (
        (12, 5, 1.0, False),
        (12, 5, 0.0, False),
        (40, 5, 1.0, False),
        (12, 5, 1.0, True),
        (12, 5, 0.0, True),
    ):
        found = best.simulated(experiments // 4, configurations, seeds, spread, unlike)
        alike = "0.35 to 2.8" if unlike else "alike"
        others = f"{found.others_out:.1f} of {configurations - 1}"
        experiment = f"{configurations:>14}   {seeds:>5}   {spread:>12g}   {alike:>11}"
        print(f"{experiment}   {found.true_best_out:>26.1%}   {others:>16}")
    print("Find the best of 5, at most 30 seeds; means so many deviations of the paired differences apart:")
    print("apart   runs, of all   settled   the true best is out, or a winner among equals")
    for apart, smallest in ((1.0, 0.0), (0.5, 0.0), (0.0, 0.0), (0.0, 1.5)):
        raced = race.simulated(experiments // 10, [apart * place for place in range(5)], smallest=smallest)
        matters = f", {smallest:g} matters" if smallest else ""
        print(f"{apart:>5g}   {raced.runs:>12.0%}   {raced.settled:>7.0%}   {raced.wrong:>8.1%}{matters}")


def _shapes(experiments: int) -> None:
    print("False alarms of one difference where values are not Gaussian, 5, 10 and 20 seeds:")
    print("                 both have the shape           one has it, the other does not vary")
    print("                 one look    watched           one look    watched")
    for shape in ("gaussian", "skewed", "diverging", "rare failures"):
        found = [simulation.false_alarms(experiments, seeds, shape) for seeds in (5, 10, 20)]
        columns = ("both", "both_watched", "one", "one_watched")
        told = ["  ".join(f"{getattr(one, column):.1%}" for one in found) for column in columns]
        print(f"{shape:<15}  {'   '.join(told)}")
    clean = ", ".join(f"{seeds}: {simulation.could_still_fail(seeds):.0%}" for seeds in (5, 10, 20))
    print(f"Trainings that may fail though none of so many did: {clean}")


def drawn(found: Peeked, experiments: int) -> str:
    """The picture, as SVG that reads on light and dark ground."""

    def x(seeds: float) -> float:
        return LEFT + (seeds - 2) / 28 * (WIDTH - LEFT - RIGHT)

    def y(share: float) -> float:
        return HEIGHT - BOTTOM - share / HIGHEST * (HEIGHT - TOP - BOTTOM)

    parts = []
    for share in (0.0, 0.1, 0.2, 0.3):
        parts.append(f'<path d="M{LEFT} {y(share):.1f}H{WIDTH - RIGHT}" stroke="#8a949f" stroke-opacity=".3"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>')
    for seeds in (2, 5, 10, 15, 20, 25, 30):
        parts.append(f'<text x="{x(seeds):.1f}" y="{HEIGHT - 16}" text-anchor="middle">{seeds}</text>')
    parts.append(f'<text x="{x(16):.1f}" y="{HEIGHT - 2}" text-anchor="middle">seeds so far</text>')
    parts.append(
        f'<path d="M{LEFT} {y(0.05):.1f}H{WIDTH - RIGHT}" stroke="#8a949f" stroke-dasharray="4 4"/>'
        f'<text x="{WIDTH - RIGHT + 8}" y="{y(0.05) - 4:.1f}">5%, as promised</text>'
    )
    curves = ((found.ordinary, "#d55e00", "ordinary interval"), (found.sequence, "#0072b2", "valid while watched"))
    for shares, colour, name in curves:
        line = " ".join(f"{x(n):.1f},{y(share):.1f}" for n, share in zip(found.seeds, shares, strict=True))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        end = y(shares[-1]) + 4
        words = f"{shares[-1]:.1%} {name}"
        parts.append(
            f'<text x="{WIDTH - RIGHT + 8}" y="{end:.1f}" style="fill:{colour}" font-weight="600">{words}</text>'
        )
    title = f"False alarms among {experiments:,} experiments with two equal configurations"
    parts.append(f'<text x="{LEFT}" y="14" font-weight="600">{title}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}" '
        'font-family="sans-serif" font-size="12">\n<style>text { fill: #727d89 }</style>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    main()
