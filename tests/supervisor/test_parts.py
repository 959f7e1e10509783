"""The small parts of a start: address, lock, socket, and whether the simulator is wanted."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dashboard.supervisor import address, lock, redis, simulator
from tests.servers.redis import Redis


def test_a_taken_port_is_said_with_its_cure() -> None:
    with (
        address.listen("127.0.0.1", 0) as taken,
        pytest.raises(address.AddressTaken, match=r"is taken by another program.*PORT\."),
    ):
        address.listen("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize("bind", ["192.0.2.1", "not an address"])
def test_an_address_of_another_machine_is_said(bind: str) -> None:
    with pytest.raises(address.AddressTaken, match="no address of this machine"):
        address.listen(bind, 0)


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:{}/"),
        ("::1", "http://[::1]:{}/"),
        ("0.0.0.0", "http://localhost:{}/"),
    ],
)
def test_the_printed_address_can_be_opened(bind: str, url: str) -> None:
    with address.listen(bind, 0) as listener:
        assert address.url_of(listener) == url.format(listener.getsockname()[1])


def test_a_folder_is_held_by_one_start_at_a_time(tmp_path: Path) -> None:
    with lock.hold(tmp_path), pytest.raises(lock.AlreadyRunning, match="already runs on"):
        lock.hold(tmp_path)
    lock.hold(tmp_path).close()


def test_the_socket_lies_in_the_data_folder(tmp_path: Path) -> None:
    assert redis.socket_path(tmp_path) == tmp_path / "redis.sock"


def test_a_deep_data_folder_gets_a_socket_that_the_kernel_accepts(tmp_path: Path) -> None:
    path = redis.socket_path(tmp_path / ("deep" * 30))
    redis.ensure_folder(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    assert path.parent.stat().st_mode & 0o077 == 0
    path.unlink()
    path.parent.rmdir()


def test_two_deep_data_folders_do_not_share_a_socket(tmp_path: Path) -> None:
    one, other = (redis.socket_path(tmp_path / (name * 30)) for name in ("deep", "steep"))
    assert one != other


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(redis.FolderNotOurs, match="belongs to another user"):
        redis.ensure_folder(tmp_path / "link" / "redis.sock")


def test_redis_goes_and_comes_back_at_the_same_address(redis_server: Redis) -> None:
    redis_server.stop()
    assert not redis.answers(redis_server.socket)
    redis_server.start()
    assert redis.answers(redis_server.socket)


@pytest.mark.parametrize(
    "name",
    [
        "CLOUDFLARE_API_TOKEN",
        "CLOUDFLARE_API_TOKEN_FILE",
        "CLOUDFLARE_ACCOUNT_ID",
        "CLOUDFLARE_ACCOUNTS",
        "CLOUDFLARE_API_BASE_URL",
        "CLOUDFLARE_EMAIL",
    ],
)
def test_whoever_names_an_account_gets_no_simulator(name: str) -> None:
    assert not simulator.is_wanted({name: "something"})


def test_without_an_account_the_simulator_is_wanted() -> None:
    assert simulator.is_wanted({"CLOUDFLARE_TIMEOUT": "5", "CLOUDFLARE_API_TOKEN": " "})
