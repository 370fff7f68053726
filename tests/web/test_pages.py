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
        for path, words in (
            ("/nothing", ("There is no such page", "Nothing is at /nothing")),
            ("/runs/99999", ("There is no run 99999", "Runs lists those that there are")),
            ("/compare?experiment=99999", ("There is no experiment 99999", "Compare lists those that there are")),
            ("/runs/x", ("There is no such page", "The address has &#39;x&#39; where a number belongs")),
            ("/compare?experiment=x", ("There is no such page", "where a number belongs")),
            ("/models/nothing", ("There is no such page", "choose one on the Models page")),
        ):
            page = client.get(f"{server.url}{path}", headers={"Accept": "text/html"})
            assert page.status_code == 404, path
            assert [word for word in words if word not in page.text] == [], path
            assert "/api/" not in page.text.split("<main")[1].split("</main")[0]
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
