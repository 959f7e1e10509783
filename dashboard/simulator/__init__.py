"""A Cloudflare account that lives in memory, served over HTTP. Knows no Django and no client.

For a test::

    with simulator.serve("incident", seed=1, now=datetime(2026, 11, 20, 12, tzinfo=UTC)) as server:
        server.url, server.account_id, server.token
        server.world.add_instance("orders", "waiting-for-event", instance_id="a-1")
        server.world.advance(seconds=60)
        server.faults.add("html", status=502, times=1, path="/instances$")
        assert [r["method"] for r in server.requests] == ["PATCH"]
"""

from .server import Server, build, serve

__all__ = ["Server", "build", "serve"]
