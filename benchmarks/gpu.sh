#!/usr/bin/env bash
# benchmarks/gpu.sh WHEELS DATA [1|2|3]: what Runyard does on a GPU, on a machine without a network.
#
#   1   is it right: tests/gpu                                      needs no data
#   2   how fast: MNIST's nets, the 20 runs, VGG                    MNIST, CIFAR-10
#   3   how accurate: cifar10-95, a seed and more; the CIFAR net    CIFAR-10
#
# Without a stage all three, each under 4 minutes on an H100. Needs Python 3.12, PyTorch, torchvision, NumPy,
# scikit-learn, SciPy, psutil; all else comes from WHEELS (benchmarks/gpu-wheels.sh gathers them). DATA is in
# torchvision's layout (MNIST/raw, cifar-10-batches-py), files compressed as .gz or .xz or not at all. It may hold a
# part of it: what an earlier call brought is kept in $RUNYARD_GPU_KEPT (/tmp/runyard-gpu). Goes on after a failure,
# prints the tables and the failures last, and exits non-zero then. DEVICE=cpu shows that it works: few tests, small sizes.
set -uo pipefail
usage="usage: benchmarks/gpu.sh WHEELS DATA [1|2|3]"
wheels=$(realpath "${1:?$usage}") data=$(realpath "${2:?$usage}") stages=${3:-1 2 3}
device=${DEVICE:-cuda:0} python=${PYTHON:-python3}
kept=${RUNYARD_GPU_KEPT:-/tmp/runyard-gpu} seconds=${SECONDS_A_STAGE:-225}
cd "$(dirname "$0")/.."
export PYTHONUNBUFFERED=1
unset RUNYARD_HOME RUNYARD_DATASETS RUNYARD_PORT RUNYARD_HOST
failures=() tables=()

# The packages, and what says which version of Runyard this is, in a directory of their own before Python's
mkdir -p "$kept"
site=$(mktemp -d "$kept/site.XXXXXX")
trap 'rm -rf "$site"' EXIT
"$python" -m pip install --quiet --no-index --no-deps --no-compile --no-cache-dir --target "$site" "$wheels"/*.whl || exit 1
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
mkdir "$site/runyard-$version.dist-info"
printf 'Metadata-Version: 2.1\nName: runyard\nVersion: %s\n' "$version" >"$site/runyard-$version.dist-info/METADATA"
export PYTHONPATH="$PWD:$site"

# The data sets
cp -rn "$data/." "$kept/datasets" 2>/dev/null || { mkdir -p "$kept/datasets" && cp -r "$data/." "$kept/datasets"; }
find "$kept/datasets" -name '*.gz' -exec gunzip -kfq {} +
find "$kept/datasets" -name '*.xz' -exec unxz -kfq {} +
export RUNYARD_TEST_DATASETS="$kept/datasets"

"$python" - "$device" <<'EOF' || exit 1
import platform, sys, torch
where = torch.cuda.get_device_name(sys.argv[1]) if sys.argv[1].startswith("cuda") else "the CPU"
print(f"Python {platform.python_version()}, torch {torch.__version__}, CUDA {torch.version.cuda}, on {where}")
EOF

measure() { # NAME PART...: figures, at most so many seconds of them
    local name=$1 out="$site/$1.txt"; shift
    local small=(); [ "$device" = cpu ] && small=(--small)
    timeout -s INT -k 20 $((seconds + 60)) "$python" -m benchmarks.training "$@" --datasets "$kept/datasets" --device "$device" \
        --budget "$seconds" "${small[@]}" 2>&1 | tee "$out" || failures+=("$name: some figures are missing")
    tables+=("$(sed -n '/^Training on /,$p' "$out")")
}

check() { # NAME ARGUMENT...: tests, until the stage's time is over
    local name=$1; shift
    local on_cpu=(); [ "$device" = cpu ] && on_cpu=(--gpu-tests-on-cpu=few)
    timeout -s INT -k 20 $((until > SECONDS ? until - SECONDS : 1)) "$python" -m pytest -q -p no:benchmark -W default -p no:cacheprovider --maxfail=25 "${on_cpu[@]}" "$@" 2>&1 |
        tee "$site/$name.txt" || failures+=("$name: tests failed")
    tables+=("$name: $(tail -n 1 "$site/$name.txt")")
}

for stage in $stages; do
    echo; echo "== stage $stage"
    case $stage in
    1)
        until=$((SECONDS + seconds))
        check runs tests/gpu/test_runs.py # one by one: some look at the card's memory, or take it all
        cores=$(nproc)
        check models -n $((cores > 16 ? 8 : (cores + 1) / 2)) --dist worksteal tests/gpu/test_models.py tests/gpu/test_resume.py
        ;;
    2) measure figures mnist vgg ;;
    3) measure accuracy accuracy net ;;
    *) failures+=("stage is $stage: choose 1, 2 or 3") ;;
    esac
done

echo; echo "== what was found"
printf '%s\n\n' "${tables[@]}"
if [ ${#failures[@]} -gt 0 ]; then
    printf 'FAILED  %s\n' "${failures[@]}"
    exit 1
fi
