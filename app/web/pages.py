"""The pages and what they are made of: Jinja2 templates, static files, Plotly's script from the installed package.

Static files are addressed by the hash of them all (`/static/<hash>/js/api.js`), so that they may be kept for ever
and a new version is never mixed with an old one.
"""

import functools
import gzip
import hashlib
import re
import threading
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import jinja2
import plotly
from fastapi import FastAPI, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from markupsafe import Markup, escape
from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from app.spec import stored
from app.store import experiments, runs
from app.store.engine import reading
from app.web.reference import reference
from app.web.schemas import ExperimentOut
from app.web.state import Database
from app.web.titles import configuration_title
from trainer import catalog
from trainer.entries import shown

ROOT = Path(__file__).parents[2]
DESCRIBE_SECONDS = 2.0
FOR_EVER = "public, max-age=31536000, immutable"


def mount(app: FastAPI) -> None:
    """Add the pages to the application."""
    version, root = _hash_of(ROOT / "static"), app.state.settings.root
    prefix = f"/static/{version}"
    plotly_path = f"/static/plotly-{metadata.version('plotly')}.js"
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["code"] = _with_code
    templates.globals.update(root=root, static=root + prefix, plotly=root + plotly_path)

    @functools.cache
    def describe_soon() -> None:
        """The description of the API takes half a second to make: it is made once somebody looks at pages."""
        timer = threading.Timer(DESCRIBE_SECONDS, app.openapi)
        timer.daemon = True
        timer.start()

    def page(request: Request, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        access = getattr(request.state, "access", None)  # None: everyone who gets here may do everything
        change = request.app.state.tail.change  # as far as the stream is: never beyond what the page then reads
        describe_soon()
        rendered = templates.get_template(f"{name}.html").render(page=name, access=access, change=change, **values)
        return HTMLResponse(rendered, status)

    def error_page(request: Request, status: int, detail: str, title: str = "") -> HTMLResponse:
        title = title or ("There is no such page" if status == 404 else "That did not work")
        return page(request, "error", status, title=title, detail=detail)

    app.state.page, app.state.error_page = page, error_page
    app.mount(prefix, _Kept(directory=ROOT / "static"), name="static")

    @app.get(plotly_path, include_in_schema=False)
    def plotly_script(request: Request) -> Response:
        headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return FileResponse(_plotly_file(), media_type="text/javascript", headers=headers)
        headers["Content-Encoding"] = "gzip"
        return Response(_plotly_compressed(), media_type="text/javascript", headers=headers)

    @app.get("/favicon.ico", include_in_schema=False)
    async def favicon() -> RedirectResponse:
        return RedirectResponse(f"{prefix}/favicon.svg")

    @app.get("/", include_in_schema=False)
    def runs_page(request: Request, engine: Database) -> HTMLResponse:
        with reading(engine) as session:
            empty = not any(runs.counts(session).values())
        return page(request, "runs", empty=empty)

    @app.get("/experiments/new", include_in_schema=False)
    async def new_page(request: Request) -> HTMLResponse:
        return page(request, "new")

    def of_run(request: Request, name: str, run_id: int, engine: Engine) -> HTMLResponse:
        with reading(engine) as session:
            run = runs.get(session, run_id)
            experiment = experiments.get(session, run.experiment_id) if run.experiment_id else None
        configuration = configuration_title(stored.flat(run.spec), [])
        return page(request, name, run=run, experiment=experiment, configuration=configuration)

    @app.get("/runs/{run_id}", include_in_schema=False)
    def run_page(request: Request, run_id: int, engine: Database) -> HTMLResponse:
        return of_run(request, "run", run_id, engine)

    @app.get("/runs/{run_id}/predictions", include_in_schema=False)
    def predictions_page(request: Request, run_id: int, engine: Database) -> HTMLResponse:
        return of_run(request, "predictions", run_id, engine)

    @app.get("/compare/predictions", include_in_schema=False)
    async def two_runs_page(request: Request) -> HTMLResponse:
        return page(request, "two")

    @app.get("/compare", include_in_schema=False)
    def compare_page(
        request: Request,
        engine: Database,
        experiment: int | None = None,
        run: Annotated[list[int], Query()] = [],  # noqa: B006
    ) -> HTMLResponse:
        if experiment is None:
            return page(request, "compare", experiment=None, chooser=None if run else _recent(engine))
        with reading(engine) as session:
            return page(request, "compare", experiment=experiments.get(session, experiment), chooser=None)

    @app.get("/models", include_in_schema=False)
    async def models_page(request: Request) -> HTMLResponse:
        return page(request, "models", shown=catalog.MODELS.values())

    @app.get("/models/{name}", include_in_schema=False)
    async def model_page(request: Request, name: str) -> HTMLResponse:
        if name not in catalog.MODELS:
            raise HTTPException(404, f"There is no model {shown(name)}: choose one on the Models page")
        model = catalog.MODELS[name]
        takes = [one for one in catalog.DATASETS.values() if one.shape in model.shapes]
        return page(request, "model", model=model, datasets=takes)

    @app.get("/data", include_in_schema=False)
    async def data_page(request: Request) -> HTMLResponse:
        return page(request, "data", shown=catalog.DATASETS.values())

    @app.get("/data/{name}", include_in_schema=False)
    async def dataset_page(request: Request, name: str) -> HTMLResponse:
        name = catalog.canonical(name)
        if name not in catalog.DATASETS:
            raise HTTPException(404, f"There is no data set {shown(name)}: choose one on the Data page")
        return page(request, "dataset", dataset=catalog.DATASETS[name])

    @app.get("/system", include_in_schema=False)
    async def system_page(request: Request) -> HTMLResponse:
        return page(request, "system")

    @app.get("/how-sure", include_in_schema=False)
    async def how_sure_page(request: Request) -> HTMLResponse:
        return page(request, "howsure")

    @app.get("/api", include_in_schema=False)
    async def api_page(request: Request) -> HTMLResponse:
        origin = f"{request.url.scheme}://{request.url.netloc}{root}"
        token = getattr(request.state, "access", None) is not None
        limits = " ".join(str(app.description).split("Limits:")[-1].split(" Every error")[0].split())
        groups = reference(app.openapi(), origin, token=token)
        return page(request, "api", groups=groups, limits=f"Limits: {limits}")

    @app.get("/{path:path}", include_in_schema=False)
    async def nothing(path: str) -> None:  # noqa: ARG001
        raise HTTPException(404)


def _recent(engine: Any) -> list[ExperimentOut]:
    rows = experiments.listed(engine, None, 50)
    with reading(engine) as session:
        tallies = runs.tallies(session, [row.id or 0 for row in rows])
        return [ExperimentOut.of(row, tallies[row.id or 0]) for row in rows]


def _with_code(text: str) -> Markup:
    """Words between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


class _Kept(StaticFiles):
    """Static files that a browser may keep for ever."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = FOR_EVER
        return response


def _hash_of(root: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _plotly_file() -> Path:
    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


@functools.lru_cache(maxsize=1)
def _plotly_compressed() -> bytes:
    """1.5 of 4.8 MB; compressed at the first request and kept."""
    return gzip.compress(_plotly_file().read_bytes(), compresslevel=9)
