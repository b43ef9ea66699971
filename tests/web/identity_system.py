# mypy: ignore-errors
"""A city's identity system of another make (Django OAuth Toolkit), run by an environment of its own: `python identity_system.py BACK`.

Whoever a browser's cookie `who` names is signed in; `groups` of a person are the parts of the login before its number. It
prints its port and the client's secret, and serves until it is ended.
"""

import sys
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
SECRET = "a secret that only the two know"

settings.configure(
    SECRET_KEY="of a test",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", f"{__name__}.signed_in"],
    OAUTH2_PROVIDER={
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": KEY.decode(),
        "PKCE_REQUIRED": True,
        "ALLOWED_REDIRECT_URI_SCHEMES": ["http"],
        "SCOPES": {"openid": "", "profile": ""},
        "OAUTH2_VALIDATOR_CLASS": f"{__name__}.Saying",
    },
)
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402 only once it is set up
from oauth2_provider.models import get_application_model  # noqa: E402
from oauth2_provider.oauth2_validators import OAuth2Validator  # noqa: E402


class Saying(OAuth2Validator):
    """What it says of a person."""

    oidc_claim_scope = None

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        """Return the claims beside the subject."""
        login = request.user.username
        return {"preferred_username": login, "name": f"某人{login}", "groups": [login.rstrip("0123456789")]}


def signed_in(get_response: Any) -> Any:
    """Take whom the cookie names as signed in."""

    def middleware(request: Any) -> Any:
        name = request.COOKIES.get("who")
        if name:
            request.user, _ = get_user_model().objects.get_or_create(username=name)
        return get_response(request)

    return middleware


urlpatterns = [path("o/", include("oauth2_provider.urls", namespace="oauth2_provider"))]


class Quiet(WSGIRequestHandler):
    """Serves without a word."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Serve."""
    call_command("migrate", verbosity=0)
    get_application_model().objects.create(
        name="wuye",
        client_id="wuye",
        client_secret=SECRET,
        client_type="confidential",
        authorization_grant_type="authorization-code",
        redirect_uris=sys.argv[1],
        algorithm="RS256",
        skip_authorization=True,
    )
    server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
    sys.stdout.write(f"{server.server_port}\n{SECRET}\n")
    sys.stdout.flush()
    server.serve_forever()


main()
