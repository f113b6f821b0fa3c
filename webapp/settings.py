"""Django's settings. Deployments configure them by environment variables; the defaults are the strict ones."""

import logging
from datetime import time, timedelta
from pathlib import Path

from csp.constants import NONE, SELF

from webapp import environment

BASE_DIR = Path(__file__).resolve().parent.parent

# Environment variables

DEBUG = environment.flag("DEBUG", "true only on a developer's machine", default=False)
SECRET_KEY = environment.variable(
    "SECRET_KEY",
    "set it to 50 or more random characters; `python -c 'import secrets; print(secrets.token_hex(32))'` prints some",
    default="only-for-debugging" if DEBUG else environment.NO_DEFAULT,
)
DATABASES = {
    "default": environment.variable(
        "DATABASE_URL", "set it to postgres://user:password@host:port/name", environment.postgresql
    )
}
ALLOWED_HOSTS = environment.names("ALLOWED_HOSTS", "list the host names of this server, separated by commas")
CSRF_TRUSTED_ORIGINS = environment.names("CSRF_TRUSTED_ORIGINS", "list origins such as https://vitrina.example.com")
HTTPS_ONLY = environment.flag("HTTPS_ONLY", "false only for plain HTTP on this machine", default=True)
PUBLISH_DEADLINE = environment.variable(
    "PUBLISH_DEADLINE",
    "set it to the time (UTC) by which yesterday's lists are due, such as 06:00",
    environment.time_of_day,
    default=time(6),
)
LOOKBACK_DAYS = environment.variable(
    "LOOKBACK_DAYS", "set it to the number of days of the nightly job's lookback", environment.at_least(0), default=3
)
PROXIES = environment.variable(
    "PROXIES", "set it to the number of proxies in front of this server", environment.at_least(0), default=0
)
LOG_LEVEL = environment.variable(
    "LOG_LEVEL", "set it to DEBUG, INFO, WARNING, ERROR or CRITICAL", environment.log_level, default="INFO"
)
API_PUBLIC = environment.flag("API_PUBLIC", "true lets clients read the lists without a key", default=False)
REQUESTS_PER_KEY = environment.variable(
    "REQUESTS_PER_KEY", "set it to the requests a minute allowed per key", environment.at_least(1), default=12_000
)
REQUESTS_PER_ADDRESS = environment.variable(
    "REQUESTS_PER_ADDRESS",
    "set it to the requests a minute allowed without a key",
    environment.at_least(1),
    default=600,
)
STATEMENT_TIMEOUT = environment.variable(
    "STATEMENT_TIMEOUT", "set it to the timeout of a query in seconds", environment.at_least(1), default=10
)
SLOW_QUERY = environment.variable(
    "SLOW_QUERY", "set it to the milliseconds after which a query is slow", environment.at_least(1), default=500
)
CACHE_AT_MOST = environment.variable(
    "CACHE_AT_MOST", "set it to the seconds that clients may cache", environment.at_least(1), default=24 * 3600
)
CACHES = {
    "default": environment.variable(
        "CACHE_URL", "set it to redis://host:port/0, or leave it unset", environment.cache, environment.MEMORY
    )
}
STATIC_ROOT = environment.variable(
    "STATIC_ROOT", "set it to a folder for static files", environment.folder, default=BASE_DIR / "staticfiles"
)

# The application

INSTALLED_APPS = [
    "webapp.rankings",
    "webapp.curation",
    "webapp.backoffice.apps.BackofficeConfig",
    "webapp.backoffice.apps.BackofficeAdminConfig",
    "webapp.keys",
    "webapp.operations",
    "webapp.api",
    "webapp.site",
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
    "webapp.site.error_pages.reject_unknown_hosts",
    "webapp.site.error_pages.reject_unknown_charsets",
    "webapp.site.error_pages.reject_long_paths",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "webapp.site.middleware.AdminSessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "webapp.site.middleware.AdminLogins",
    "webapp.site.middleware.AdminMessages",
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

# The API: read-only; it requires a key and ignores sessions.

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "webapp.api.browsable.BrowsableRenderer",
    ],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_AUTHENTICATION_CLASSES": ["webapp.keys.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["webapp.keys.permissions.HasKey"],
    "DEFAULT_THROTTLE_CLASSES": ["webapp.keys.throttles.RequestThrottle"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "webapp.api.parameters.FormatNegotiation",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "webapp.api.openapi.schema.ApiSchema",
    "EXCEPTION_HANDLER": "webapp.api.exception_handler.handle_exception",
}

# OpenAPI 3.1 and Swagger UI, served from our own static files. They contain no data, so they need no key.

SPECTACULAR_SETTINGS = {
    "TITLE": "Vitrina",
    "DESCRIPTION": "Which of an advertiser's products to show, ranked every night. Errors are problem documents (RFC 9457).",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["webapp.api.openapi.schema.only_versioned"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "validatorUrl": None},
}

# Days are UTC days.

TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
FORMAT_MODULE_PATH = "webapp.formats"

# Static files: names contain a hash of the content, so browsers may cache them forever.

STATIC_URL = "static/"
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Security. A proxy that terminates TLS must overwrite X-Forwarded-Proto.

SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS_ONLY else None
SECURE_REDIRECT_EXEMPT = [r"^(api/v1/)?health/"]  # load balancers probe with plain HTTP
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY
# Only our own files, nothing inline. A page may send a stricter policy.
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
# Lock out the pair of user name and address: by name alone, anybody could lock out a colleague, and a whole company
# shares one address.
AXES_FAILURE_LIMIT = 5
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # attempts during a lockout are not stored, and do not extend it
AXES_CLIENT_IP_CALLABLE = "webapp.backoffice.logins.address_of"
AXES_USERNAME_CALLABLE = "webapp.backoffice.logins.user_name_of"
AXES_LOCKOUT_TEMPLATE = "backoffice/locked_out.html"
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # HSTS preloading is the domain owner's decision

# Logs go to standard error, one line per event: JSON, or text with DEBUG. Each line carries the id of its request,
# which the client may send as a UUID and the response repeats. gunicorn writes the access log.

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
        "axes": {"level": "WARNING"},  # lockouts, but not every login
        "django.request": {"level": "ERROR"},  # 4xx responses are in the access log
        "django.security": {"level": "CRITICAL"},  # such as too many fields: a 400, which needs no traceback either
        "django.security.csrf": {"level": LOG_LEVEL},
        "django.db.backends": {"level": "INFO"},  # never log all queries with their parameters
        "django_guid": {"level": "ERROR"},  # not every generated or replaced id
    },
}
