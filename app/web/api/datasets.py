"""/datasets/NAME/images: what a net sees."""

import base64
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from app.web.images import samples
from app.web.problems import Refused, documented
from app.web.state import PlacesNow
from trainer import catalog
from trainer.catalog import SEED_MAX
from trainer.entries import shown

router = APIRouter(prefix="/datasets", tags=["data sets"])


class ImagesOut(BaseModel):
    """Example images as bytes (images × channels × height × width, 0 to 255) in base64."""

    shape: list[int] = Field(description="Channels, height, width.")
    labels: list[str]
    original: str
    shuffled: str


@router.get("/{name}/images", summary="Example images", responses=documented(404, 422))
def get_images(
    places: PlacesNow,
    name: Annotated[str, Path(max_length=100, description="Data set.", examples=["digits"])],
    count: Annotated[int, Query(ge=1, le=100)] = 8,
    permutation_seed: Annotated[int, Query(ge=0, le=SEED_MAX)] = 1,
) -> ImagesOut:
    """Test images in order and shuffled, as a net with that permutation seed sees them."""
    if name not in catalog.DATASETS:
        message = f"data set is {shown(name)}: there is no such data set; choose {' or '.join(catalog.DATASETS)}"
        raise Refused(404, "name", message)
    found = samples(name, places, count, permutation_seed)
    if found is None:
        raise Refused(404, "name", f"{name} is not prepared yet: its images can be shown after its first run")
    dataset = catalog.DATASETS[name]
    return ImagesOut(
        shape=list(dataset.shape),
        labels=[dataset.classes[label] for label in found.labels],
        original=base64.b64encode(found.original.tobytes()).decode(),
        shuffled=base64.b64encode(found.shuffled.tobytes()).decode(),
    )
