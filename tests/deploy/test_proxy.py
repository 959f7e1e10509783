"""The dashboard behind nginx, with the configuration of deploy/: over HTTPS, as people use it."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboard.supervisor.address import free_port
from tests.servers.dashboard import ROOT
from tests.servers.process import Server

pytestmark = pytest.mark.start

HOST = "workflows.example.com"
PASSWORD = "correct horse battery"


class Image(Server):
    """The web process as the image starts it: its files, its command, its variables."""

    def __init__(self, folder: Path, port: int, public_url: str) -> None:
        super().__init__(folder)
        self.port, self.public_url = port, public_url
        self.app = folder / "app"
        self.app.mkdir()
        for line in (ROOT / ".dockerignore").read_text().splitlines():
            if line.startswith("!"):
                for path in ROOT.glob(line.removeprefix("!")):
                    to = self.app / path.name
                    shutil.copytree(path, to) if path.is_dir() else shutil.copy(path, to)

    def argv(self) -> Sequence[str]:
        command = re.findall(r"^CMD \[(.+)\]$", self._dockerfile(), re.MULTILINE)[-1]
        return [sys.executable, "-m", *re.findall(r'"([^"]+)"', command)]

    def env(self) -> Mapping[str, str]:
        [said] = re.findall(r"^ENV (.+)$", self._dockerfile(), re.MULTILINE)
        image = dict(word.split("=", 1) for word in said.split())
        return {
            **image,
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(self.folder / "data"),
            "BIND": "127.0.0.1",
            "PORT": str(self.port),
            "PUBLIC_URL": self.public_url,
            "CLOUDFLARE_ACCOUNT_ID": "acc1",
            "CLOUDFLARE_API_TOKEN": "a-token",
            "SECRET_KEY": "k" * 50,
        }

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        env = {**self.env(), "PASSWORD": PASSWORD}
        subprocess.run(command, cwd=self.app, env=env, check=True, timeout=120)

    def cwd(self) -> Path:
        return self.app

    def is_ready(self) -> bool:
        """As the container's own health check asks."""
        try:
            return httpx.get(f"http://localhost:{self.port}/readyz").status_code == 200
        except httpx.ConnectError:
            return False

    def _dockerfile(self) -> str:
        return (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ")


class Nginx(Server):
    """With deploy/nginx.conf, on other ports and with a certificate made for the test."""

    def __init__(self, folder: Path, behind: int) -> None:
        super().__init__(folder)
        self.plain, self.secure = free_port(), free_port()
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"),
                *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
            ],
            check=True,
            capture_output=True,
        )
        site = (ROOT / "deploy" / "nginx.conf").read_text()
        for theirs, ours in {
            "server 127.0.0.1:8000": f"server 127.0.0.1:{behind}",
            "listen 80": f"listen 127.0.0.1:{self.plain}",
            "listen 443": f"listen 127.0.0.1:{self.secure}",
            "https://$host$": f"https://$host:{self.secure}$",
            "/etc/ssl/workflows.example.com.pem": str(folder / "cert.pem"),
            "/etc/ssl/private/workflows.example.com.key": str(folder / "key.pem"),
        }.items():
            assert theirs in site
            site = site.replace(theirs, ours)
        paths = "".join(
            f"{kind}_temp_path {folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
            f"http {{ access_log off; {paths}\n{site}\n}}\n"
        )

    def argv(self) -> Sequence[str]:
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        return [program, "-e", "stderr", "-c", str(self.folder / "nginx.conf")]

    def is_ready(self) -> bool:
        try:
            return self.ask("GET", "/healthz").status_code == 200
        except httpx.ConnectError:
            return False

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer over HTTPS, after a look at the certificate."""
        certificate = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))
        headers = {"Host": f"{HOST}:{self.secure}", **more.pop("headers", {})}
        with httpx.Client(verify=certificate, timeout=30) as client:
            url = f"https://127.0.0.1:{self.secure}{path}"
            named = {"sni_hostname": HOST}
            return client.request(method, url, headers=headers, extensions=named, **more)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    folder, port = tmp_path_factory.mktemp("site"), free_port()
    nginx = Nginx(folder, port)
    image = Image(folder, port, f"https://{HOST}:{nginx.secure}")
    image.manage("migrate", "--verbosity=0")
    image.manage("createuser", "olga", "--role", "operator")
    with image, nginx:
        yield nginx


def test_people_sign_in_over_https_with_cookies_that_go_nowhere_else(site: Nginx) -> None:
    form = site.ask("GET", "/sign-in/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
    assert token is not None
    assert "Secure" in form.headers["Set-Cookie"]
    assert form.headers["Strict-Transport-Security"] == "max-age=31536000"

    answer = site.ask(
        "POST",
        "/sign-in/",
        data={"login": "olga", "password": PASSWORD, "csrfmiddlewaretoken": token[1]},
        headers={
            "Cookie": f"csrftoken={form.cookies['csrftoken']}",
            "Referer": f"https://{HOST}:{site.secure}/sign-in/",
        },
    )

    assert answer.status_code == 302
    [told] = [one for one in answer.headers.get_list("Set-Cookie") if "sessionid" in one]
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(told.split("; "))
    headers = {"Cookie": f"sessionid={answer.cookies['sessionid']}"}
    assert site.ask("GET", "/", headers=headers).status_code == 200


def test_plain_http_leads_to_https(site: Nginx) -> None:
    path = "/instances/?q=status:errored"
    answer = httpx.get(f"http://127.0.0.1:{site.plain}{path}", headers={"Host": HOST})

    assert answer.status_code == 308
    assert answer.headers["Location"] == f"https://{HOST}:{site.secure}{path}"


def test_a_client_cannot_say_what_only_the_proxy_may(site: Nginx) -> None:
    headers = {"X-Forwarded-Proto": "http", "X-Request-ID": "chosen"}
    answer = site.ask("GET", "/sign-in/", headers=headers)

    assert answer.status_code == 200  # And not led to HTTPS, where it is already.
    assert answer.headers["X-Request-ID"] != "chosen"


def test_another_host_name_is_refused(site: Nginx) -> None:
    assert site.ask("GET", "/sign-in/", headers={"Host": "evil.example"}).status_code == 400


def test_style_sheets_come_compressed_and_may_be_kept_for_ever(site: Nginx) -> None:
    [path, *_] = re.findall(r'href="(/static/[^"]+\.css)"', site.ask("GET", "/sign-in/").text)
    answer = site.ask("GET", path)

    assert answer.headers["Content-Encoding"] == "gzip"
    assert "immutable" in answer.headers["Cache-Control"]
