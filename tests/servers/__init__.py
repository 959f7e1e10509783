"""Real servers for tests: each on a free address, in a folder of its own, gone with the test run.

    redis.Redis          the one that `manage.py up` would start
    postgres.Postgres    Debian's server, run as a user who is not root
    engine.LocalEngine   Cloudflare's own `wrangler dev` with five workflows
    dashboard.Dashboard  `manage.py up`, with all its processes

Each is a context manager; `stop()` and `start()` in between show what happens when it goes away and
comes back at the same address.
"""
