"""Django's settings, from the site's folder. The environment names the folder; everything else stands in it."""

import os
import secrets
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(os.environ["CELLWRIGHT_SITE"]) if "CELLWRIGHT_SITE" in os.environ else None
"""The site's folder; absent only where types are checked or messages are collected."""
TLS: Final = os.environ.get("CELLWRIGHT_TLS", "") == "1"
HOSTS: Final = tuple(filter(None, os.environ.get("CELLWRIGHT_HOSTS", "").split(",")))


def secret_key(folder: Path) -> str:
    """The key that signs cookies, made at the first start, readable by its owner only."""
    file = folder / "keys" / "session.key"
    if not file.exists():
        file.parent.mkdir(mode=0o700, exist_ok=True, parents=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(secrets.token_urlsafe(48))
    return file.read_text(encoding="ascii")


SECRET_KEY = secret_key(FOLDER) if FOLDER else "no site is served with this key"
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *HOSTS]
ROOT_URLCONF = "cellwright.site.urls"
INSTALLED_APPS = [
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "cellwright.site.apps.SiteConfig",
]
MIDDLEWARE = [
    "cellwright.site.middleware.headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "cellwright.site.middleware.speak",
    "cellwright.site.middleware.pages_only",
    "cellwright.site.middleware.Authority",
]
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(FOLDER / "site.db") if FOLDER else ":memory:",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        },
        "TEST": {"NAME": str(FOLDER / "site.db") if FOLDER else ":memory:"},
    }
}
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [Path(__file__).parent / "templates"],
        "OPTIONS": {"environment": "cellwright.site.pages.environment"},
    }
]
STATIC_URL = "/static/"
STATICFILES_DIRS: list[Path] = []
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "cellwright"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = TLS
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_SECURE = TLS
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "cellwright.site.refusals.forged"
SECURE_CONTENT_TYPE_NOSNIFF = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
LOGGING = {
    "version": 1, "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"django": {"handlers": ["stderr"], "level": "ERROR"}},
}  # fmt: skip
IDLE_LIMIT_S = 15 * 60
"""A session without a sign of its person ends after this; nobody can switch it off (R030; a site decision)."""
