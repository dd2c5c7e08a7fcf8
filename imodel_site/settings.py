"""Every setting, from the environment (docs/operations.md lists the variables); nonsense is refused at start-up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from imodel_site import env
from imodel_site.lib.isolation import static_headers

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.folder("IMODEL_DATA", BASE_DIR / "var")

# --- who we are ----------------------------------------------------------------------------------------------------
DEBUG = env.flag("IMODEL_DEBUG", default=False)
SECRET_KEY = env.secret_key(debug=DEBUG)
SECRET_KEY_FALLBACKS = env.old_secret_keys()
ALLOWED_HOSTS = env.hosts(debug=DEBUG)
HTTPS = env.flag("IMODEL_HTTPS", default=not DEBUG)
SITE_URL = env.site_url(ALLOWED_HOSTS, https=HTTPS)
TRUSTED_PROXIES = env.number("IMODEL_TRUSTED_PROXIES", 0, least=0, most=10)
IMODEL_DEMO = env.flag("IMODEL_DEMO", default=False)  # the sample merchant may be tried without signing up

# --- apps ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
INSTALLED_APPS = [
    "imodel_site.apps.SiteConfig",
    "accounts",
    "catalog",
    "training",
    "generation",
    "selling",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "django_vite",
    "accounts.staff_app.StaffAdminConfig",  # django.contrib.admin behind allauth's login and a second factor
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
]
MIDDLEWARE = [
    "imodel_site.middleware.RequestId",
    "imodel_site.middleware.Probes",
    "imodel_site.middleware.SmallPages",
    "imodel_site.middleware.Published",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.SessionActivity",
    "accounts.middleware.MerchantScope",
    "accounts.throttling.RateLimits",
    "imodel_site.keeping.Keeping",
    "imodel_site.middleware.Refusals",
]
ROOT_URLCONF = "imodel_site.urls"
WSGI_APPLICATION = "imodel_site.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "imodel_site.context.frame",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "imodel_site.templatetags.ui"],
        },
    }
]

# --- rows ----------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.database(env.text("DATABASE_URL") or f"sqlite:///{DATA_DIR / 'imodel.sqlite3'}")}
# On PostgreSQL every session becomes this role, which owns no table and can not bypass row-level security (ring 5).
DATABASE_ROLE = env.matching(
    "IMODEL_DATABASE_ROLE", "imodel_app", r"[a-z_][a-z0-9_]{0,62}", "a role's name in lower case"
)

# --- cache, queue --------------------------------------------------------------------------------------------------
REDIS_URL = env.redis(env.text("REDIS_URL"))
if REDIS_URL:
    CACHES: dict[str, Any] = {
        "default": {
            "BACKEND": "imodel_site.lib.caches.Redis",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "imodel",
        }
    }
else:
    # On disk, not in memory: rate limits must count over all web processes.
    CACHES = {
        "default": {
            "BACKEND": "imodel_site.lib.caches.Files",
            "LOCATION": str(DATA_DIR / "cache"),
            "OPTIONS": {"MAX_ENTRIES": 20_000},
        }
    }
LANES = ("light", "generate", "train")  # their places are the wake-ups' numbers: add at the end only
JOB_TIMEOUT = 3600  # seconds; the longest a wake-up may work, whatever it found to do
TRAIN_TIMEOUT = 24 * 3600  # a training goes on from its last checkpoint, but ending it here would count as too long
_LANE = {
    "orm": "default",
    "poll": 0.05,
    "queue_limit": 1,
    "bulk": 1,
    "save_limit": -1,
    "ack_failures": True,
    "guard_cycle": 0.5,
    "catch_up": False,
    "scheduler": False,
    "timeout": JOB_TIMEOUT,
    "retry": 2 * JOB_TIMEOUT + 30,
    "max_attempts": 1,
    "recycle": 500,
    "log_level": "WARNING",
    "label": "iModel",
}
WORKERS = {  # processes of each lane on this machine; 0 leaves the lane to other machines
    "light": env.number("IMODEL_LIGHT_WORKERS", 1, least=0, most=64),
    "generate": env.number("IMODEL_GENERATE_WORKERS", 1, least=0, most=64),
    "train": env.number("IMODEL_TRAIN_WORKERS", 1, least=0, most=16),
}
Q_CLUSTER: dict[str, Any] = {
    **_LANE,
    "name": "light",
    "workers": max(1, WORKERS["light"]),
    "ALT_CLUSTERS": {
        "generate": {**_LANE, "cluster_name": "generate", "workers": max(1, WORKERS["generate"])},
        "train": {
            **_LANE,
            "cluster_name": "train",
            "workers": max(1, WORKERS["train"]),
            "timeout": TRAIN_TIMEOUT,
            "retry": 2 * TRAIN_TIMEOUT + 30,
        },
    },
}
# Further families whose weights the workers have: the expert page offers them.
ENGINES = env.words("IMODEL_ENGINES")
ENGINE = env.matching(
    "IMODEL_ENGINE", "mini", r"[a-z0-9_.-]{1,40}", "a family that `python -m studio weights list` shows"
)  # the family of weights that a shoot uses unless it says otherwise
SEGMENTATION = env.choice(
    "IMODEL_SEGMENTATION", "sam_mini", ("sam_mini", "sam_vit_b", "sam_vit_l", "sam_vit_h", "none")
)  # what photos are embedded with, so that a click cuts a garment out (docs/segmentation.md)
FASHN_AT_ONCE = env.number("IMODEL_FASHN_AT_ONCE", 6, least=1, most=1000)  # runs of /v1/run that one merchant has
RUN_DIR = DATA_DIR / "run"  # sockets and beats of the worker
WORK_DIR = DATA_DIR / "work"  # what jobs work on, by merchant (imodel_site/lib/workplace.py)

# --- files ---------------------------------------------------------------------------------------------------------
MEDIA_DIR = DATA_DIR / "media"
MEDIA_ROOT = str(MEDIA_DIR)
STORAGES: dict[str, Any] = {
    "default": env.storage(env.text("IMODEL_STORAGE"), MEDIA_DIR),
    "staticfiles": {"BACKEND": "imodel_site.static.HashedFiles"},
}
if DEBUG:
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_URL = "/static/"
STATIC_ROOT = str(DATA_DIR / "static")
STATICFILES_DIRS = [
    ("ui", str(BASE_DIR / "frontend" / "plain")),
    ("segmentation", str(BASE_DIR / "studio" / "segmentation" / "weights" / "sam_mini")),  # bundled encoder, decoder
    str(BASE_DIR / "static"),
]
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_ADD_HEADERS_FUNCTION = static_headers
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/dist/assets/|\.[0-9a-f]{12}\.\w+$"
# What Vite built from frontend/src: as it was collected, so that a build under way changes nothing of what is served.
BUILT_DIR = BASE_DIR / "static" / "dist" if DEBUG else Path(STATIC_ROOT, "dist")
DJANGO_VITE = {
    "default": {
        "app_client_class": "imodel_site.islands.Islands",
        "static_url_prefix": "dist",
        "manifest_path": BUILT_DIR / "manifest.json",
    }
}
SILENCED_SYSTEM_CHECKS = ["django_vite.W001"]  # islands.W001 says it better
# nginx's internal location over the media folder
X_ACCEL_PREFIX = env.matching("IMODEL_X_ACCEL", "", r"(/[\w./-]*/)?", "a path between slashes, such as /protected/")
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
DATA_UPLOAD_MAX_NUMBER_FILES = 60
FILE_UPLOAD_HANDLERS = ["imodel_site.lib.uploads.BoundedUploadHandler"]
DELETION_GRACE_DAYS = env.number("IMODEL_DELETION_GRACE_DAYS", 14, least=1, most=365)  # of a merchant
QUOTA_BYTES = env.number("IMODEL_QUOTA_MB", 20_000, least=1, most=10**9) * 2**20  # of one merchant's files

# --- people --------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    # Alone: it knows all that Django's own does, and a second one would hash each wrong password twice.
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_PASSWORD = "django.contrib.auth.password_validation."
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": _PASSWORD + "UserAttributeSimilarityValidator"},
    {"NAME": _PASSWORD + "MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": _PASSWORD + "CommonPasswordValidator"},
    {"NAME": _PASSWORD + "NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {"signup": "accounts.forms.SignupForm"}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_CHANGE = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
MFA_ADAPTER = "accounts.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "iModel"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
MFA_TOTP_TOLERANCE = 1  # a clock may be half a minute off
MFA_RECOVERY_CODES_SHOW_ONCE = True
globals().update(env.email(env.text("EMAIL_URL")))
DEFAULT_FROM_EMAIL = env.matching(
    "IMODEL_FROM_EMAIL",
    "iModel <no-reply@localhost>",
    r"[^<>@\r\n]+@[^<>@\s]+|[^<>\r\n]*<[^<>@\s]+@[^<>@\s]+>",
    "an e-mail address",
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Where merchants write to: for more credits, about a suspended shop. Empty: pages name no address.
SUPPORT_EMAIL = env.matching("IMODEL_SUPPORT_EMAIL", "", r"([^<>@\s]+@[^<>@\s]+)?", "an e-mail address")

# --- the wire ------------------------------------------------------------------------------------------------------
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_URL else []
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
LANGUAGE_COOKIE_NAME = "__Host-language" if HTTPS else "language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "imodel_site.front.csrf_failure"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE, "'wasm-unsafe-eval'"],
        "worker-src": [SELF],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
API_CALLS_PER_MINUTE = env.number("IMODEL_API_CALLS_PER_MINUTE", 600, least=1, most=10**6)  # of one key or member
# Webhooks may go to http:// and to this very machine: for trying a receiver out, never for a site that others use.
WEBHOOK_HTTP = env.flag("IMODEL_WEBHOOK_HTTP", default=False)
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.ApiKeyAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.authentication.HasMerchant"],
    "DEFAULT_THROTTLE_CLASSES": [],  # accounts.throttling.RateLimits counts, so that every answer says the limit
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["imodel_site.lib.api_parsers.BoundedJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "imodel_site.lib.api_parsers.AlwaysJson",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "imodel_site.schema.Schema",
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "imodel_site.lib.errors.api_exception_handler",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "iModel",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SCHEMA_PATH_PREFIX_INSERT": "",
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATION_PARAMETERS": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ShootKind": "generation.models.Kind",
        "BatchStatus": "generation.models.Batch.Status",
        "JobStatus": "imodel_site.lib.jobs.model.Status",
        "EntryKind": "accounts.models.credits.LedgerEntry.Kind",
        "Complaint": "generation.models.Complaint",
        "GarmentStatus": "catalog.models.Garment.Status",
        "MerchantStatus": "accounts.models.people.Merchant.Status",
        "ViewEnum": "catalog.models.View",
        "TrainingPictureView": "training.models.sets.View",
        "TrainingPictureKind": "training.models.sets.PictureKind",
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "imodel_site.schema.complete"],
}

# --- progress ------------------------------------------------------------------------------------------------------
# Server-sent events that one web process has open at once; the web server needs as many threads on top of those that
# serve pages. 0: pages ask again and again instead.
STREAMS = env.number("IMODEL_STREAMS", 0, least=0, most=200)
# Requests of other people's clients (docs/surfaces.md) that one web process keeps waiting for their pictures, each with
# a thread; 0: all are told the asynchronous way at once. And for how many seconds, below what the proxies allow.
WAITERS = env.number("IMODEL_WAITERS", 2, least=0, most=200)
WAIT_SECONDS = env.number("IMODEL_WAIT_SECONDS", 55, least=1, most=3600)

# --- operations ----------------------------------------------------------------------------------------------------
METRICS_TOKEN = env.token("IMODEL_METRICS_TOKEN")  # who shows it may read /metrics
METRICS_FROM = env.networks("IMODEL_METRICS_FROM")  # so may who connects from here, without a proxy in between
METRICS_PORT = env.number("IMODEL_METRICS_PORT", 0, least=0, most=65535)  # of `manage.py worker`; 0 for none

# --- words and time ------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [str(BASE_DIR / "locale")]
FORMAT_MODULE_PATH = ["imodel_site.formats"]
USE_I18N = USE_TZ = True
TIME_ZONE = "UTC"

# --- logs ----------------------------------------------------------------------------------------------------------
LOG_FORMAT = env.choice("IMODEL_LOG", "json", ("json", "plain"))
LOG_LEVEL = env.choice("IMODEL_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "context": {"()": "imodel_site.lib.logs.Context"},
        "redact": {"()": "imodel_site.lib.logs.Redact"},
        "route": {"()": "imodel_site.lib.logs.RouteForPath"},
        "strangers": {"()": "imodel_site.lib.logs.Strangers"},
    },
    "formatters": {
        "json": {"()": "imodel_site.lib.logs.JsonLines"},
        "plain": {"()": "imodel_site.lib.logs.PlainLines"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["strangers", "context", "redact"],
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # Its own handler would print a second, unstructured line; errors come from imodel_site.middleware.
        "django.server": {"handlers": ["stderr"], "propagate": False},
        "django.request": {"level": "ERROR", "filters": ["route"]},
        "django-q": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
