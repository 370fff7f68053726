import re

from tests.serving import Server


def test_pages_are_whole_and_point_at_files_that_are_there(server: Server) -> None:
    run_id = server.launch(dataset="digits", model="fc")
    with server.api() as client:
        for path in ("/", "/experiments/new", f"/runs/{run_id}", "/compare", f"/compare?run={run_id}", "/how-sure"):
            page = client.get(f"{server.url}{path}")
            assert page.status_code == 200, path
            assert "script-src 'self'" in page.headers["content-security-policy"]
            assert not re.search(r"<script(?![^>]*\bsrc=)", page.text), "inline script is forbidden by the policy"
            for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
                file = client.get(f"{server.url}{address}")
                assert file.status_code == 200, address
                assert "immutable" in file.headers["cache-control"]
    server.wait_for(run_id, "succeeded")


def test_plotly_is_served_compressed_from_the_installed_package(server: Server) -> None:
    with server.api() as client:
        page = client.get(f"{server.url}/compare?run=1").text
        address = page.split('fetchpriority="low" href="')[1].split('"')[0]
        script = client.get(f"{server.url}{address}")
        assert script.headers["content-encoding"] == "gzip"
        assert "plotly.js" in script.text[:200]
        assert int(script.headers["content-length"]) < 2_000_000


def test_a_page_that_is_not_there_says_so_in_the_frame(server: Server) -> None:
    with server.api() as client:
        for path in ("/nothing", "/runs/99999", "/runs/x", "/compare?experiment=99999"):
            page = client.get(f"{server.url}{path}", headers={"Accept": "text/html"})
            assert page.status_code == 404, path
            assert "Page not found" in page.text
            assert 'class="brand"' in page.text


def test_the_page_on_how_sure_an_answer_is_shows_the_simulation(server: Server) -> None:
    with server.api() as client:
        page = client.get(f"{server.url}/how-sure").text
    assert "How sure is that?" in page
    assert "valid while watched" in page
    found = server.call("GET", "/peeking", params={"experiments": 500, "seed": 4})
    assert found == server.call("GET", "/peeking", params={"experiments": 500, "seed": 4})
    assert found["seeds"] == list(range(2, 31))
    assert len(found["ordinary"]) == len(found["sequence"]) == len(found["planned"]) == 29
    assert found["ordinary"][-1] > 0.2 > 0.06 > found["sequence"][-1]
