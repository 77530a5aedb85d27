"""The one settings file: everything comes from the environment, and outside DEBUG nothing unsafe starts.

Each secret is read from `<NAME>` or from the file that `<NAME>_FILE` names. With `EXPUNGE_DEBUG=1` (what `make demo`
and `make serve` set) a missing secret is made once and kept under the data folder, readable by its owner alone;
without it a missing secret stops the start with a sentence that says which one.
"""

import base64
import os
import re
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from psycopg import IsolationLevel

ROOT = Path(__file__).resolve().parent.parent


def env_bool(name: str, default: bool = False) -> bool:
    """True for 1/true/yes/on, False for 0/false/no/off or empty; anything else is refused."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0, found {value!r}. Set it to one of them or leave it out.")


def env_int(name: str, default: int) -> int:
    """A whole number above zero."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if not (value.isascii() and value.isdigit()) or int(value) == 0:
        raise ImproperlyConfigured(f"{name} must be a whole number above 0, found {value!r}.")
    return int(value)


DEBUG = env_bool("EXPUNGE_DEBUG")


def env_matching(name: str, default: str, pattern: str, expected: str) -> str:
    """A text of a fixed form; raises ImproperlyConfigured that says which."""
    value = os.environ.get(name, "").strip() or default
    if not re.fullmatch(pattern, value):
        raise ImproperlyConfigured(f"{name} must be {expected}, found {value!r}.")
    return value


def env_addresses(name: str) -> tuple[str, ...]:
    """E-mail addresses, separated by commas; none by default."""
    found = tuple(part.strip() for part in os.environ.get(name, "").split(",") if part.strip())
    if any(part.count("@") != 1 or any(character.isspace() for character in part) for part in found):
        raise ImproperlyConfigured(f"{name} must be e-mail addresses separated by commas, found something else.")
    return found


def env_path(name: str) -> Path | None:
    """The file that is named, or None."""
    value = os.environ.get(name, "").strip()
    return Path(value).resolve() if value else None


_RATE = (r"\d+/(second|minute|hour|day)", "a rate such as 20/minute")
DATA_DIR = Path(os.environ.get("EXPUNGE_DATA_DIR") or ROOT / ".data").resolve()
KEYS_DIR = Path(os.environ.get("EXPUNGE_KEYS_DIR") or DATA_DIR / "keys").resolve()


def _generated(name: str) -> str:
    """The secret made for this data folder on first use. Only in DEBUG: production secrets have an owner."""
    folder = DATA_DIR / "secrets"
    path = folder / name.lower()
    try:
        # Also the folder around it: mail with codes and the database lie there.
        DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)
        if path.exists():
            return _read_secret(path, name)
        # Exclusive creation: two processes that start together must agree on one secret.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        if path.exists():
            return _read_secret(path, name)
        raise ImproperlyConfigured(f"EXPUNGE_DATA_DIR must be a folder, found the file {error.filename}.") from error
    except OSError as error:
        raise ImproperlyConfigured(f"EXPUNGE_DATA_DIR {DATA_DIR} cannot be written ({error.strerror}).") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.b64encode(secrets.token_bytes(32)).decode())
    return _read_secret(path, name)


def _read_secret(path: Path, name: str) -> str:
    try:
        value = path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read ({error.strerror}).") from error
    if not value:
        raise ImproperlyConfigured(f"{name}: the file {path} is empty. Write the secret into it.")
    return value


def env_secret(name: str) -> str:
    """The secret of this name; raises ImproperlyConfigured outside DEBUG when it is not set."""
    if os.environ.get(name):
        return os.environ[name]
    if os.environ.get(f"{name}_FILE"):
        return _read_secret(Path(os.environ[f"{name}_FILE"]), name)
    if DEBUG:
        return _generated(name)
    raise ImproperlyConfigured(
        f"{name} is not set. Set {name} or {name}_FILE (base64 of 32 random bytes), "
        "or EXPUNGE_DEBUG=1 to try Expunge out on this machine."
    )


def env_key(name: str) -> bytes:
    """A 32-byte key, given as base64."""
    try:
        key = base64.b64decode(env_secret(name), validate=True)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be base64 of exactly 32 bytes; it is not base64.") from error
    if len(key) != 32:
        raise ImproperlyConfigured(f"{name} must be base64 of exactly 32 bytes, found {len(key)} bytes.")
    return key


def env_required(name: str, in_debug: str) -> str:
    """A setting that has an embedded default in DEBUG and must be chosen outside it. Also from `<NAME>_FILE`."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if os.environ.get(f"{name}_FILE"):
        return _read_secret(Path(os.environ[f"{name}_FILE"]), name)
    if DEBUG:
        return in_debug
    raise ImproperlyConfigured(
        f"{name} is not set, and outside EXPUNGE_DEBUG=1 it has no default. See docs/operate.md."
    )


def database(url: str) -> dict[str, Any]:
    """PostgreSQL as given; SQLite with WAL, full sync and IMMEDIATE transactions, so that writers queue, not fail."""
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=60))
    except ValueError as error:
        raise ImproperlyConfigured(
            "DATABASE_URL must be postgres://USER:PASSWORD@HOST/NAME or sqlite:///PATH."
        ) from error
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        }
        config["CONN_MAX_AGE"] = 0
    else:
        # Whatever the server's default is: who waited for a lock must see what was committed meanwhile.
        config["OPTIONS"] = {
            **config.get("OPTIONS", {}),
            "isolation_level": IsolationLevel.READ_COMMITTED,
            # Of what is bound by the server alone: the rows of new requests (ledger/inserting.py).
            "prepare_threshold": 5 if env_bool("EXPUNGE_PREPARED_STATEMENTS", default=True) else None,
        }
    return config


# --- Django ---------------------------------------------------------------------------------------------------------
SECRET_KEY = env_secret("SECRET_KEY")
ALLOWED_HOSTS = [
    host.strip() for host in env_required("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",") if host.strip()
]
DATABASES = {"default": database(env_required("DATABASE_URL", f"sqlite:///{DATA_DIR / 'expunge.sqlite3'}"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "oauth2_provider",
    "axes",
    "csp",
    "compliance.ledger",
    "compliance.registry",
    "compliance.requests",
    "compliance.intake",
    "compliance.api.clients",
    "compliance.suppression",
    "compliance.outbound",
    "compliance.recipients",
    "compliance.controllers",
    "compliance.reports",
    "compliance.portal",
    "compliance.public",
    # Only its management commands (serve, demo, …); the code that runs jobs is reached through DISPATCHER.
    "workers",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "compliance.contention.ContentionMiddleware",
]
ROOT_URLCONF = "compliance.urls"
WSGI_APPLICATION = "compliance.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "portal:login"
LOGIN_REDIRECT_URL = "portal:requests"
LOGOUT_REDIRECT_URL = "portal:login"
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = DEBUG
LANGUAGE_CODE = "en"
TIME_ZONE = env_matching(
    "EXPUNGE_TIME_ZONE", "UTC", "|".join(map(re.escape, available_timezones())), "a zone such as Europe/Berlin"
)
USE_TZ = True
# Whose public holidays move the end of a period (Regulation 1182/71): a country of ISO 3166-1, or a part of one.
HOLIDAYS = env_matching(
    "EXPUNGE_HOLIDAYS", "DE", r"[A-Z]{2}(-[A-Za-z0-9]{1,5})?", "a country or part of one such as DE-BE"
)

# --- Safety of the web ----------------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not DEBUG
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
if env_bool("EXPUNGE_BEHIND_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
SESSION_COOKIE_AGE = 8 * 3600
SESSION_ENGINE = "compliance.sessions"
CSRF_FAILURE_VIEW = "compliance.public.views.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 1  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "portal/locked.html"

# --- Cache ----------------------------------------------------------------------------------------------------------
# Where rates are counted: in each process by itself, or together in a server that all of them share.
CACHE_URL = env_matching(
    "EXPUNGE_CACHE_URL", "", r"((rediss?|unix)://\S+)?", "redis://HOST:PORT/N, rediss:// or unix://"
)
CACHES: dict[str, dict[str, Any]] = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if CACHE_URL:
    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": "expunge",
        # Django's own would open what the server sends as pickles.
        "OPTIONS": {"serializer": "compliance.api.cached_values.JSONSerializer"},
    }

# --- API ------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "compliance.api.authentication.StaffTokenAuthentication",
        "compliance.api.clients.authentication.ClientAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["compliance.api.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "compliance.api.negotiation.OneRepresentation",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "compliance.api.errors.problem",
    "DEFAULT_THROTTLE_RATES": {
        "submit": env_matching("EXPUNGE_SUBMIT_RATE", "20/minute", *_RATE),
        # Of one request, with its status token: looking, and what changes it.
        "status": env_matching("EXPUNGE_STATUS_RATE", "120/minute", *_RATE),
        "subject": env_matching("EXPUNGE_SUBJECT_RATE", "30/minute", *_RATE),
        "login": env_matching("EXPUNGE_LOGIN_RATE", "30/minute", *_RATE),
        "client_token": env_matching("EXPUNGE_CLIENT_TOKEN_RATE", "60/minute", *_RATE),
        "schema": env_matching("EXPUNGE_SCHEMA_RATE", "30/minute", *_RATE),
        "identity": env_matching("EXPUNGE_IDENTITY_RATE", "30/minute", *_RATE),
        "identity_code": env_matching("EXPUNGE_IDENTITY_CODE_RATE", "5/hour", *_RATE),
        # For each controller. The protocol asks not to be throttled in normal operation: this is no normal operation.
        "opendsr": env_matching("EXPUNGE_OPENDSR_RATE", "1000/minute", *_RATE),
        "acknowledgement": env_matching("EXPUNGE_ACKNOWLEDGEMENT_RATE", "60/minute", *_RATE),
    },
    # Without a proxy of ours in front, X-Forwarded-For is whatever the client likes: it must not lift a limit.
    "NUM_PROXIES": 1 if env_bool("EXPUNGE_BEHIND_PROXY") else 0,
}
# Machine clients: the grant of RFC 6749 section 4.4 alone. Tokens are stored as digests (RFC 9700 section 4).
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"
OAUTH2_PROVIDER = {
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",
    "SCOPES_BACKEND_CLASS": "compliance.api.clients.scopes.ClientScopes",
    "ACCESS_TOKEN_EXPIRE_SECONDS": env_int("EXPUNGE_CLIENT_TOKEN_SECONDS", 3600),
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    # No token can be renewed without the secret, which these two checks of the library ask about.
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Expunge",
    "DESCRIPTION": "Deletion requests, the decisions on them, and the auditor's bundle.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "ENUM_NAME_OVERRIDES": {
        "RefusalReasonEnum": "compliance.requests.models.RefusalReason",
        "ExtensionReasonEnum": "compliance.requests.models.ExtensionReason",
        "HoldReasonEnum": "compliance.requests.models.HoldReason",
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
# Bounded by size alone: django-axes reads the query of a failed log-in before it counts it, and an error about too many
# fields there would let passwords be tried without end.
DATA_UPLOAD_MAX_NUMBER_FIELDS = None

# --- People ---------------------------------------------------------------------------------------------------------
# What wraps the vault's keys, the first of these that is set: keys behind key services, a folder of keys, one key.
# The others open what they wrapped. See docs/operate.md, "The vault's master keys".
VAULT_MASTER_KEY_URIS = tuple(os.environ.get("VAULT_MASTER_KEY_URIS", "").split())
VAULT_MASTER_KEYS_DIR = env_path("VAULT_MASTER_KEYS_DIR")
_HAS_KEY_RING = bool(VAULT_MASTER_KEY_URIS or VAULT_MASTER_KEYS_DIR)
_HAS_ONE_KEY = any(os.environ.get(f"VAULT_MASTER_KEY{suffix}") for suffix in ("", "_FILE"))
# b"": there is none.
VAULT_MASTER_KEY = env_key("VAULT_MASTER_KEY") if _HAS_ONE_KEY or not _HAS_KEY_RING else b""
# Under the names that HashiCorp's own tools know. A token in a file is read anew each time.
KEY_SERVICE_ADDRESS = env_matching("VAULT_ADDR", "", r"(https?://.+)?", "an http or https address")
KEY_SERVICE_TOKEN = os.environ.get("VAULT_TOKEN", "")
KEY_SERVICE_TOKEN_PATH = env_path("VAULT_TOKEN_FILE")
KEY_SERVICE_CA_PATH = env_path("VAULT_CACERT")
# How long a closed request can still be told whose it was. Shorter than a month is refused: a person who answers our
# letter is owed a reply within one (Art. 12(3) GDPR), which takes knowing who wrote.
IDENTITY_RETENTION_DAYS = env_int("EXPUNGE_IDENTITY_RETENTION_DAYS", 92)
if IDENTITY_RETENTION_DAYS < 31:
    raise ImproperlyConfigured(f"EXPUNGE_IDENTITY_RETENTION_DAYS must be at least 31, found {IDENTITY_RETENTION_DAYS}.")
PSEUDONYM_KEY = env_key("PSEUDONYM_KEY")
# For the tokens of people who were erased, and nothing else.
SUPPRESSION_KEY = env_key("SUPPRESSION_KEY")
# 0, never, by default: an old copy of training data can turn up at any time.
SUPPRESSION_DAYS = env_int("EXPUNGE_SUPPRESSION_DAYS", 0)
# Named in every letter: who answers for the models, and where to complain (Art. 12(4), 77 GDPR).
_LINE = (r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,300}", "one line of at most 300 characters")
CONTROLLER_NAME = env_matching("EXPUNGE_CONTROLLER_NAME", "The controller", *_LINE)
# Without it a refusal would not be lawful. In DEBUG letters say it in general terms, as they do for a court that is not named.
SUPERVISORY_AUTHORITY = env_matching("EXPUNGE_SUPERVISORY_AUTHORITY", "", *_LINE)
if not SUPERVISORY_AUTHORITY and not DEBUG:
    raise ImproperlyConfigured(
        "EXPUNGE_SUPERVISORY_AUTHORITY is not set: every refusal must name where to complain (Art. 12(4) GDPR). Set it to "
        "the authority's name and address."
    )
COURT = env_matching("EXPUNGE_COURT", "", *_LINE)
IDENTITY_CODE_SECONDS = env_int("EXPUNGE_IDENTITY_CODE_SECONDS", 600)
IDENTITY_CODE_ATTEMPTS = 5
# Whoever floods an address with requests does not flood its mailbox; the codes that wait are sent later.
IDENTITY_CODES_PER_HOUR = env_int("EXPUNGE_IDENTITY_CODES_PER_HOUR", 10)
# How sure the controller must be before a request is reviewed: compliance/identity/method.py says what each level is.
IDENTITY_LEVEL = int(env_matching("EXPUNGE_IDENTITY_LEVEL", "1", "[123]", "1, 2 or 3"))
# Without a proof a request is closed so many days after receipt, or when the answer is due if that is earlier.
IDENTITY_CLOSE_DAYS = env_int("EXPUNGE_IDENTITY_CLOSE_DAYS", 30)
# The identity provider at which people may sign in; without an issuer none is asked.
OIDC_ISSUER = env_matching("EXPUNGE_OIDC_ISSUER", "", r"(https?://[^\s?#]+)?", "an http or https address")
OIDC_CLIENT_ID = os.environ.get("EXPUNGE_OIDC_CLIENT_ID", "").strip()
_HAS_OIDC_SECRET = any(os.environ.get(f"EXPUNGE_OIDC_CLIENT_SECRET{suffix}") for suffix in ("", "_FILE"))
# A client without a secret is a public one: then PKCE alone shows that both steps come from here.
OIDC_CLIENT_SECRET = env_secret("EXPUNGE_OIDC_CLIENT_SECRET") if OIDC_ISSUER and _HAS_OIDC_SECRET else ""
OIDC_SCOPE = os.environ.get("EXPUNGE_OIDC_SCOPE") or "openid email"
# Kind of identifier → the claim that holds it.
OIDC_CLAIMS = dict(
    pair.split("=")
    for pair in env_matching(
        "EXPUNGE_OIDC_CLAIMS", "email=email", r"\w+=[^\s=,]+(,\w+=[^\s=,]+)*", "pairs such as email=email"
    ).split(",")
)
if OIDC_ISSUER and not OIDC_CLIENT_ID:
    raise ImproperlyConfigured(
        "EXPUNGE_OIDC_ISSUER is set: name the client registered there in EXPUNGE_OIDC_CLIENT_ID."
    )
# Who is told when answers become due, and who besides when they are overdue. Nobody, by default: the portal shows it.
STAFF_EMAILS = env_addresses("EXPUNGE_STAFF_EMAILS")
ESCALATION_EMAILS = env_addresses("EXPUNGE_ESCALATION_EMAILS")
PORTAL_ADDRESS = env_matching(
    "EXPUNGE_PORTAL_ADDRESS", "", r"(https?://\S+)?", "the portal's address, such as https://expunge.example/"
)
DEFAULT_FROM_EMAIL = os.environ.get("EXPUNGE_FROM_EMAIL") or "privacy@localhost"
# Where a person can ask and answer: an address, a telephone number, a page.
CONTACT = env_matching("EXPUNGE_CONTACT", DEFAULT_FROM_EMAIL, *_LINE)
if os.environ.get("EXPUNGE_SMTP_HOST"):
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = os.environ["EXPUNGE_SMTP_HOST"]
    EMAIL_PORT = env_int("EXPUNGE_SMTP_PORT", 587)
    EMAIL_HOST_USER = os.environ.get("EXPUNGE_SMTP_USER", "")
    EMAIL_HOST_PASSWORD = env_secret("EXPUNGE_SMTP_PASSWORD") if EMAIL_HOST_USER else ""
    EMAIL_USE_TLS = env_bool("EXPUNGE_SMTP_TLS", default=True)
    EMAIL_TIMEOUT = 30
elif DEBUG:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "outbox"
else:
    raise ImproperlyConfigured("EXPUNGE_SMTP_HOST is not set: identity codes could not be sent. See docs/operate.md.")

# --- Ledger, evidence, work -----------------------------------------------------------------------------------------
LEDGER_ORIGIN = env_matching(
    "EXPUNGE_LEDGER_ORIGIN", "expunge.local/ledger", r"[!-*,-~]+", "a name without spaces and plus signs"
)
LEDGER_KEY_PATH = Path(os.environ.get("EXPUNGE_LEDGER_KEY_PATH") or KEYS_DIR / "ledger.pem")
EVIDENCE_KEY_PATH = Path(os.environ.get("EXPUNGE_EVIDENCE_KEY_PATH") or KEYS_DIR / "evidence.pem")
# A signer URI of securesystemslib (awskms:, gcpkms:, azurekms:, hsm:, hv:, file2:) takes the place of the key file.
LEDGER_KEY_URI = os.environ.get("EXPUNGE_LEDGER_KEY_URI", "").strip()
EVIDENCE_KEY_URI = os.environ.get("EXPUNGE_EVIDENCE_KEY_URI", "").strip()
HSM_PIN = env_secret("EXPUNGE_HSM_PIN") if "hsm" in {LEDGER_KEY_URI[:3], EVIDENCE_KEY_URI[:3]} else ""
LEDGER_PUBLIC_KEY_PATH = Path(os.environ.get("EXPUNGE_LEDGER_PUBLIC_KEY_PATH") or KEYS_DIR / "ledger.pub.pem")
EVIDENCE_PUBLIC_KEY_PATH = Path(os.environ.get("EXPUNGE_EVIDENCE_PUBLIC_KEY_PATH") or KEYS_DIR / "evidence.pub.pem")
# Every head that was ever signed, outside the database, so that a restored backup cannot make the ledger fork.
CHECKPOINT_GUARD_PATH = Path(os.environ.get("EXPUNGE_CHECKPOINT_GUARD_PATH") or DATA_DIR / "checkpoints.guard")
# A folder, or a URL that fsspec understands, such as s3://bucket/prefix.
LOG_DIR = os.environ.get("EXPUNGE_LOG_DIR") or str(DATA_DIR / "log")
# A database that forgets what it has committed would let the ledger fork. Only a machine to try things out may have one.
REFUSE_VOLATILE_DATABASE = not DEBUG
WITNESS_POLICY_PATH = env_path("EXPUNGE_WITNESS_POLICY_FILE")
TSA_URL = env_matching("EXPUNGE_TSA_URL", "", r"(https?://.+)?", "an http or https address")
TSA_CERTIFICATES_PATH = env_path("EXPUNGE_TSA_CERTIFICATES_FILE")
if TSA_URL and TSA_CERTIFICATES_PATH is None:
    raise ImproperlyConfigured(
        "EXPUNGE_TSA_URL is set: name the PEM file of its root in EXPUNGE_TSA_CERTIFICATES_FILE."
    )
# Hosts that may also be reached without TLS, on any port and in a network of one's own.
OUTBOUND_ALLOWED_HOSTS = frozenset(
    host.strip().lower().strip("[]")
    for host in os.environ.get("EXPUNGE_OUTBOUND_ALLOWED_HOSTS", "").split(",")
    if host.strip()
)
OUTBOUND_CA_PATH = env_path("EXPUNGE_OUTBOUND_CA_FILE")
# Whether a request stays open until each recipient has answered, or the DPO has said why not. See docs/recipients.md.
RECIPIENT_ACK_REQUIRED = env_bool("EXPUNGE_RECIPIENT_ACK_REQUIRED")
# What other controllers pass requests on through: all three are set, or none. See docs/opendsr.md.
OPENDSR_DOMAIN = os.environ.get("EXPUNGE_OPENDSR_DOMAIN", "").strip().lower()
OPENDSR_KEY_PATH = env_path("EXPUNGE_OPENDSR_KEY_PATH")
OPENDSR_CERTIFICATE_PATH = env_path("EXPUNGE_OPENDSR_CERTIFICATE_PATH")
if len({bool(OPENDSR_DOMAIN), bool(OPENDSR_KEY_PATH), bool(OPENDSR_CERTIFICATE_PATH)}) > 1:
    raise ImproperlyConfigured(
        "OpenDSR needs EXPUNGE_OPENDSR_DOMAIN, EXPUNGE_OPENDSR_KEY_PATH and EXPUNGE_OPENDSR_CERTIFICATE_PATH together. "
        "Set all three, or none of them."
    )
ARTIFACTS_DIR = Path(os.environ.get("EXPUNGE_ARTIFACTS_DIR") or DATA_DIR / "artifacts")
# Declared data sources are read inside this folder alone.
SOURCES_DIR = Path(os.environ.get("EXPUNGE_SOURCES_DIR") or DATA_DIR / "sources").resolve()
POLICY_PATH = Path(os.environ.get("EXPUNGE_POLICY_FILE") or ROOT / "compliance" / "requests" / "policy.json")
DISPATCHER = os.environ.get("EXPUNGE_DISPATCHER") or "workers.dispatch.CeleryDispatcher"
BROKER_URL = env_required("REDIS_URL", "embedded")
if BROKER_URL != "embedded" and not re.match(r"(rediss?|redis\+socket|amqps?)://", BROKER_URL):
    raise ImproperlyConfigured(
        "REDIS_URL must begin with redis://, rediss:// or redis+socket:// (or amqp:// for RabbitMQ)."
    )
JOB_LEASE_SECONDS = env_int("EXPUNGE_JOB_LEASE_SECONDS", 120)
# One attempt at a job may take this long; a method that hangs would otherwise keep its model for ever.
JOB_DEADLINE_SECONDS = env_int("EXPUNGE_JOB_DEADLINE_SECONDS", 24 * 3600)
SWEEP_SECONDS = env_int("EXPUNGE_SWEEP_SECONDS", 15)
# A message younger than this is on its way, not lost.
SWEEP_GRACE = timedelta(seconds=env_int("EXPUNGE_SWEEP_GRACE_SECONDS", 30))
JOB_MAX_ATTEMPTS = env_int("EXPUNGE_JOB_MAX_ATTEMPTS", 3)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {
        "handlers": ["stderr"],
        "level": env_matching("EXPUNGE_LOG_LEVEL", "INFO", "DEBUG|INFO|WARNING|ERROR|CRITICAL", "a level such as INFO"),
    },
}
