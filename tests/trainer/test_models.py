import pytest
import torch

from trainer import catalog, models
from trainer.spec import parse


@pytest.mark.parametrize(("model", "count"), [("fc", 6442), ("cnn", 6422)])
def test_the_tutorials_nets_have_the_tutorials_size(model: str, count: int) -> None:
    spec = parse({"model": model, "dataset": "mnist"})
    assert spec.parameters == count
    assert sum(p.numel() for p in models.build(spec).parameters()) == count


@pytest.mark.parametrize(
    "model",
    [{"name": "fc", "n_hidden": 1}, {"name": "fc", "n_hidden": 300}, {"name": "cnn", "n_features": 17}],
    ids=str,
)
@pytest.mark.parametrize("dataset", catalog.DATASETS)
def test_the_catalogue_counts_parameters_as_the_built_net_does(model: dict[str, object], dataset: str) -> None:
    spec = parse({"model": model, "dataset": dataset})
    net = models.build(spec)
    assert sum(p.numel() for p in net.parameters()) == spec.parameters
    output = net(torch.zeros(3, *catalog.DATASETS[dataset].shape))
    assert output.shape == (3, 10)
    assert torch.allclose(output.exp().sum(dim=1), torch.ones(3))
