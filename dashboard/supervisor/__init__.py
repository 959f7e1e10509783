"""One command for all processes: starts them, keeps them running, and leaves nothing behind.

    child.py        one program as a process of its own that dies with its parent
    supervisor.py   the loop: passes on what children print, restarts the dead, stops all
    programs.py     which programs a start needs, and in which order they stop
    address.py      the listening socket, held here so that restarting the web server drops nobody
    redis.py        the private Redis-compatible server of the embedded default
    simulator.py    the simulated account, when no real one is configured
    demo.py         the sign-in that goes with it
    lock.py         one start per data folder

Only `demo.py` knows the models; the rest is about processes.
"""
