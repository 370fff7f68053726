import pytest

from tests.serving import Server


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Server:
    return shared_server
