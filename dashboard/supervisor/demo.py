"""The sign-in that goes with the simulator: made once, printed at each start."""

from __future__ import annotations

import secrets
from pathlib import Path

from django.contrib.auth import get_user_model

NAME = "demo"


def ensure_sign_in(data_dir: Path) -> str:
    """The demo user's password. User and password are made at the first start and then kept."""
    path = data_dir / "demo_password"
    user = get_user_model().objects.filter(username=NAME).first()
    if user is not None and user.is_active and path.exists():
        return path.read_text().strip()
    password = secrets.token_urlsafe(9)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(f"{password}\n")
    user = user or get_user_model()(username=NAME)
    user.is_active = True
    user.role = "admin"
    user.set_password(password)
    user.save()
    return password


def close_sign_in() -> None:
    """Beside a real account the demo user cannot sign in: its password stands in a file."""
    get_user_model().objects.filter(username=NAME).update(is_active=False)


def is_anyone_there() -> bool:
    """Whether any user can sign in."""
    return get_user_model().objects.filter(is_active=True).exists()
