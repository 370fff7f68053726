import pytest

from tests.serving import Server


@pytest.fixture(scope="module")
def server(quick_server: Server) -> Server:
    return quick_server
