"""Django's settings. What differs between deployments comes from the environment; the default is closed."""

import logging
from datetime import time, timedelta
from pathlib import Path

from csp.constants import NONE, SELF

from webapp import environment

BASE_DIR = Path(__file__).resolve().parent.parent

# What the environment says

DEBUG = environment.flag("DEBUG", "true on a developer's machine only", default=False)
SECRET_KEY = environment.variable(
    "SECRET_KEY",
    "set it to 50 or more random characters, as `python -c 'import secrets; print(secrets.token_hex(32))'` prints them",
    default="only-for-debugging" if DEBUG else environment.NO_DEFAULT,
)
DATABASES = {
    "default": environment.variable(
        "DATABASE_URL", "set it to postgres://user:password@host:port/name", environment.postgresql
    )
}
ALLOWED_HOSTS = environment.names("ALLOWED_HOSTS", "name the hosts this server answers for, parted by commas")
CSRF_TRUSTED_ORIGINS = environment.names("CSRF_TRUSTED_ORIGINS", "list origins such as https://vitrina.example.com")
HTTPS_ONLY = environment.flag("HTTPS_ONLY", "false for plain http on this machine only", default=True)
PUBLISH_DEADLINE = environment.variable(
    "PUBLISH_DEADLINE",
    "set it to the time of day in UTC, such as 06:00, by which yesterday's lists should be out",
    environment.time_of_day,
    default=time(6),
)
PROXIES = environment.variable(
    "PROXIES",
    "set it to how many proxies stand between a client and this server, such as 1",
    environment.at_least(0),
    default=0,
)
LOG_LEVEL = environment.variable(
    "LOG_LEVEL", "set it to DEBUG, INFO, WARNING, ERROR or CRITICAL", environment.log_level, default="INFO"
)
API_PUBLIC = environment.flag("API_PUBLIC", "true lets everybody read the lists without a key", default=False)
REQUESTS_PER_KEY = environment.variable(
    "REQUESTS_PER_KEY", "set it to how many requests a minute a key may make", environment.at_least(1), default=12_000
)
REQUESTS_PER_ADDRESS = environment.variable(
    "REQUESTS_PER_ADDRESS",
    "set it to how many requests a minute an address may make without a key",
    environment.at_least(1),
    default=600,
)
STATEMENT_TIMEOUT = environment.variable(
    "STATEMENT_TIMEOUT", "set it to how many seconds a query may take", environment.at_least(1), default=10
)
SLOW_QUERY = environment.variable(
    "SLOW_QUERY", "set it to the milliseconds from which on a query is logged", environment.at_least(1), default=500
)
CACHE_AT_MOST = environment.variable(
    "CACHE_AT_MOST",
    "set it to how many seconds an answer may be kept, where a hidden product must be gone sooner than the next day",
    environment.at_least(1),
    default=24 * 3600,
)
CACHES = {
    "default": environment.variable(
        "CACHE_URL", "set it to redis://host:port/0, or leave it out", environment.cache, environment.MEMORY
    )
}
STATIC_ROOT = environment.variable(
    "STATIC_ROOT", "set it to a folder", environment.folder, default=BASE_DIR / "staticfiles"
)

# The application

INSTALLED_APPS = [
    "webapp.rankings",
    "webapp.curation",
    "webapp.office.apps.OfficeConfig",
    "webapp.office.apps.OfficeAdminConfig",
    "webapp.keys",
    "webapp.operations",
    "webapp.openapi",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "axes",
    "django_guid",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "django_guid.middleware.guid_middleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "webapp.rankings.error_pages.answer_named_hosts_only",
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
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "webapp.urls"
WSGI_APPLICATION = "webapp.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The API: closed but for those with a key, whom no session is asked about; nobody writes.

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_AUTHENTICATION_CLASSES": ["webapp.keys.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["webapp.keys.permissions.HasKey"],
    "DEFAULT_THROTTLE_CLASSES": ["webapp.keys.throttles.KeyThrottle", "webapp.keys.throttles.AddressThrottle"],
    "NUM_PROXIES": PROXIES,
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "webapp.rankings.parameters.FormatNegotiation",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "webapp.openapi.schema.QuestionSchema",
    "EXCEPTION_HANDLER": "webapp.rankings.handler.answer",
}

# Its description, OpenAPI 3.1, and Swagger UI from our own static files. Neither has a word of data in it, so both are open.

SPECTACULAR_SETTINGS = {
    "TITLE": "Vitrina",
    "DESCRIPTION": "Which of an advertiser's products to show, ranked anew every night. Errors are problem documents.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["webapp.openapi.schema.only_versioned"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "validatorUrl": None},
}

# Every day begins and ends in UTC.

TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
USE_I18N = False
FORMAT_MODULE_PATH = "webapp.formats"

# Static files: their names carry their content's hash, so a browser may keep them for good.

STATIC_URL = "static/"
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Security. A proxy that ends TLS must set X-Forwarded-Proto itself, whatever the client sent.

SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS_ONLY else None
SECURE_REDIRECT_EXEMPT = [r"^(api/v1/)?health/"]  # a load balancer's probe speaks plain http
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY
X_FRAME_OPTIONS = "DENY"
# Pages take everything from here, and nothing stands inline. A page that needs less may send a stricter one itself.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
# Five wrong passwords for one name from one address, and that pair waits. Neither the name alone, or anybody could lock
# out a colleague, nor the address alone, which an office shares.
AXES_FAILURE_LIMIT = 5
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "webapp.office.accounts.client_address"
AXES_LOCKOUT_TEMPLATE = "office/locked_out.html"
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # whether a domain enters the browsers' preload list is its owner's to say

# Logs go to standard error, one line each, in JSON for machines or as text for a developer. Each line of a request has
# its id, which the caller may choose (a UUID) and the answer repeats. The access log is the server's.

logging.captureWarnings(True)
DJANGO_GUID = {"GUID_HEADER_NAME": "X-Request-ID", "EXPOSE_HEADER": False}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "django_guid.log_filters.CorrelationId", "correlation_id_field": "request_id"}},
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{levelname}{name}{message}{request_id}",
            "style": "{",
            "timestamp": "time",
            "rename_fields": {"levelname": "level", "name": "logger"},
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["request"],
            "formatter": "line" if DEBUG else "json",
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"level": LOG_LEVEL},
        "axes": {"level": "WARNING"},  # who is made to wait, not who logs in
        "django.request": {"level": "ERROR"},  # what clients get wrong stands in the access log
        "django.db.backends": {"level": "INFO"},  # never every query, and never a parameter of one
        "django_guid": {"level": "ERROR"},  # that an id was made, or replaced, is no news
    },
}
