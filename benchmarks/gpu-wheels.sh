#!/usr/bin/env bash
# benchmarks/gpu-wheels.sh FOLDER [3.12]: what benchmarks/gpu.sh needs beside Python, PyTorch, torchvision (and what
# those bring), scikit-learn, SciPy and psutil, as wheels for x86-64 Linux and that Python, in the versions of constraints.txt.
# About 30 MB. Needs a network; the machine that they are for needs none.
set -euo pipefail
folder=${1:?"usage: benchmarks/gpu-wheels.sh FOLDER [PYTHON VERSION]"} version=${2:-3.12}
cd "$(dirname "$0")/.."

names=(
    # the web server
    fastapi starlette annotated-doc anyio idna opentelemetry-api uvicorn h11 starlette-compress brotli zstandard plotly narwhals
    # the store
    sqlmodel SQLAlchemy greenlet alembic Mako pydantic pydantic_core annotated-types typing-inspection typing_extensions
    # settings, processes, the card
    pydantic-settings python-dotenv platformdirs setproctitle nvidia-ml-py
    # the command
    typer annotated-doc click shellingham rich markdown-it-py mdurl Pygments httpx httpcore certifi
    # the tests
    pytest iniconfig packaging pluggy pytest-timeout pytest-xdist execnet
)

pins=()
for name in $(printf '%s\n' "${names[@]}" | sort -u); do
    pin=$(grep -i "^${name//[-_]/[-_]}==" constraints.txt) || { echo "constraints.txt has no version of $name"; exit 1; }
    pins+=("$pin")
done
platforms=()
for glibc in 2_39 2_35 2_34 2_31 2_28 2_27 2_24 2_17 2_12 2_5; do platforms+=(--platform "manylinux_${glibc}_x86_64"); done
for older in 2014 2010 1; do platforms+=(--platform "manylinux${older}_x86_64"); done
mkdir -p "$folder"
rm -f "$folder"/*.whl
python3 -m pip download --quiet --no-deps --only-binary=:all: --implementation cp --python-version "$version" \
    "${platforms[@]}" --dest "$folder" "${pins[@]}" 2> >(grep -v '^WARNING: Location' >&2)
echo "$(ls "$folder"/*.whl | wc -l) wheels, $(du -shm "$folder" | cut -f1) MB"
