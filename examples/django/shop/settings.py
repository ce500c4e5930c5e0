"""As little as a Django project (3.2 or newer) can do with. What is of interest here are the last lines."""

import os
import pathlib

SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "accounts"]
MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
ROOT_URLCONF = "shop.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", pathlib.Path(__file__).resolve().parent.parent / "db.sqlite3"),
        # A registration and the mail it asks for stand and fall together: see accounts/welcome.py.
        "ATOMIC_REQUESTS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
# Whose months they are.
TIME_ZONE = "UTC"

SENDONCE_URL = os.environ["SENDONCE_URL"]
SENDONCE_KEY = os.environ["SENDONCE_KEY"]
