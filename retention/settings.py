"""Every setting, from the environment; starts nothing and reads no file but `.env`."""

from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.templatetags.static import static
from django.urls import reverse_lazy

from retention.environment import Environment, is_log_level, is_one_of, is_redis, is_web_address

BASE_DIR = Path(__file__).resolve().parent.parent
environ.Env.read_env(BASE_DIR / ".env")
env = Environment(environ.Env())

DEBUG = env.flag("DEBUG", False)
# Without a key of its own an installation must not start; the demo and the tests bring theirs.
SECRET_KEY = env.required("SECRET_KEY", "a long random text that signs sessions and links")
#: Keys that this installation had before: what they signed still holds, and receivers of webhooks still know them.
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS", [])
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [])
PORT = env.number("PORT", 8000)
#: Where customers and shops reach this installation; links in mails begin with it.
BASE_URL = env.text("BASE_URL", f"http://localhost:{PORT}", expect=is_web_address).rstrip("/")
IS_HTTPS = BASE_URL.startswith("https://")

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.import_export",
    "retention.console.takeover.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_celery_beat",
    "import_export",
    "axes",
    "csp",
    "ninja",
    "retention.shop",
    "retention.work",
    "retention.audit",
    "retention.doors",
    "retention.customers",
    "retention.segments",
    "retention.recommendations",
    "retention.ledger",
    "retention.experiments",
    "retention.incentives",
    "retention.messaging",
    "retention.support",
    "retention.webhooks",
    "retention.api",
    "retention.storefront",
    "retention.console",
    "retention.demoshop",
    "campaigns",
    "loyalty",
    "referrals",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "retention.console.policies.PolicyByPlace",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "retention.console.zones.ShopZone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "retention.urls"
WSGI_APPLICATION = "retention.wsgi.application"
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
            ],
        },
    },
]

# PostgreSQL is the truth; `embedded.py` publishes these two when nobody else did.
DATABASES = {"default": env.database("DATABASE_URL", "the PostgreSQL 18 database, postgres://user:password@host/name")}
DATABASES["default"].update(CONN_MAX_AGE=env.number("CONN_MAX_AGE", 60), CONN_HEALTH_CHECKS=True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.required("REDIS_URL", "the Valkey server, redis://host:6379/0", expect=is_redis)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

AUTH_USER_MODEL = "shop.Staff"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
#: Where the console lies.
CONSOLE_PATH = "admin/"
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "console/locked.html"

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY", False) else None
X_FRAME_OPTIONS = "SAMEORIGIN"
# Our own pages frame previews of messages; others are kept out by the policy below as well.
SILENCED_SYSTEM_CHECKS = ["security.W019"]
#: For pages of the public; `console.policies` loosens it where the console's theme cannot do without.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
#: How many requests one API key may make in a minute.
API_REQUESTS_A_MINUTE = env.number("API_REQUESTS_A_MINUTE", 60_000)
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 2**20

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ko", "한국어"), ("ru", "Русский")]
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = "retention.console.formats"
# The shop's own zone is a row (`shop.Shop`), which `console.zones` shows; processes live in UTC.
TIME_ZONE = "UTC"
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", str(BASE_DIR / ".data" / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

EMAIL_CONFIG = env.email("EMAIL_URL", "consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 20
#: A mail provider's HTTP API in place of SMTP: what Anymail calls it, and the name of its key there.
_PROVIDERS = {
    "brevo": "BREVO_API_KEY",
    "mailersend": "MAILERSEND_API_TOKEN",
    "mailgun": "MAILGUN_API_KEY",
    "mandrill": "MANDRILL_API_KEY",
    "postmark": "POSTMARK_SERVER_TOKEN",
    "resend": "RESEND_API_KEY",
    "sendgrid": "SENDGRID_API_KEY",
    "sparkpost": "SPARKPOST_API_KEY",
}
MAIL_PROVIDER = env.text("MAIL_PROVIDER", "", expect=is_one_of("", *_PROVIDERS))
ANYMAIL: dict[str, object] = {"REQUESTS_TIMEOUT": (5, 20)}
if MAIL_PROVIDER in _PROVIDERS:
    EMAIL_BACKEND = f"anymail.backends.{MAIL_PROVIDER}.EmailBackend"
    ANYMAIL[_PROVIDERS[MAIL_PROVIDER]] = env.required("MAIL_PROVIDER_KEY", "the mail provider's API key")
    if sender_domain := env.text("MAIL_PROVIDER_DOMAIN", ""):
        ANYMAIL[f"{MAIL_PROVIDER.upper()}_SENDER_DOMAIN"] = sender_domain
    if api_url := env.text("MAIL_PROVIDER_URL", ""):
        ANYMAIL[f"{MAIL_PROVIDER.upper()}_API_URL"] = api_url
#: Text messages by HTTP, as Twilio takes them; `SMS_FROM` is a number, or a messaging service (MG…).
SMS = {
    "account": env.text("SMS_ACCOUNT", ""),
    "token": env.text("SMS_TOKEN", ""),
    "from": env.text("SMS_FROM", ""),
    "url": env.text(
        "SMS_URL", f"https://api.twilio.com/2010-04-01/Accounts/{env.text('SMS_ACCOUNT', '')}/Messages.json"
    ),
}
#: Where messages of the channel webhook go, and the secret (`whsec_…`) that signs them.
MESSAGE_WEBHOOK = {"url": env.text("MESSAGE_WEBHOOK_URL", ""), "secret": env.text("MESSAGE_WEBHOOK_SECRET", "")}
#: Whose consent the marketing on that channel needs: email, sms, push or post.
WEBHOOK_CONSENT = env.text("WEBHOOK_CONSENT", "post", expect=is_one_of("email", "sms", "push", "post"))
#: Web push: the private key in base64, and an address that push services may write to.
VAPID = {"key": env.text("VAPID_PRIVATE_KEY", ""), "subject": env.text("VAPID_SUBJECT", "mailto:shop@example.com")}
#: Whether addresses that others choose may lie in private networks: for trying things out only.
PRIVATE_ADDRESSES_ALLOWED = env.flag("ALLOW_PRIVATE_ADDRESSES", False)
#: What other programs were told is kept for so many days; more than a week, so that nothing is told anew.
WEBHOOK_NOTICE_DAYS = max(env.number("WEBHOOK_NOTICE_DAYS", 30), 8)
#: What proves that a provider's webhook is the provider's: a signing key, or `user:password` where it signs nothing;
#: for SES, whose messages Amazon signs, the ARN of the topic that is ours.
MAIL_HOOKS = {
    provider: secret
    for provider in "brevo mailersend mailgun mailjet mandrill postmark resend sendgrid ses sparkpost".split()
    if (secret := env.text(f"{provider.upper()}_WEBHOOK_SECRET", ""))
}
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Retention demo shop <shop@example.com>")
#: Keys the hash under which a suppressed or consenting address is remembered after its owner is forgotten.
ADDRESS_HASH_KEY = env.text("ADDRESS_HASH_KEY", SECRET_KEY)

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_timeout": 5, "socket_connect_timeout": 1}
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # no results: nothing for beat to clean up at four in the morning
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 1800
CELERY_TASK_DEFAULT_QUEUE = "sweeps"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_BEAT_SYNC_EVERY = 1
#: A run of a job whose worker was silent for so long is given to another one.
JOB_LEASE_SECONDS = env.number("JOB_LEASE_SECONDS", 120)

# Without these two any member of staff may export every customer.
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_SKIP_ADMIN_LOG = True

LOG_LEVEL = env.text("LOG_LEVEL", "INFO", expect=is_log_level)
# Here, since logging is the first to use what was read.
env.finish()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "retention.logs.PlainFormatter", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # It tells of what it cannot draw without Pillow, which we do not ask of it.
    "loggers": {"pyBarcode": {"level": "WARNING"}},
}

UNFOLD = {
    "SITE_TITLE": "Retention",
    "SITE_HEADER": "Retention",
    "SITE_URL": None,
    "SITE_ICON": lambda request: static("retention/icon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("retention/icon.svg")}],
    "STYLES": [lambda request: static("console/console.css")],
    "SCRIPTS": [lambda request: static("console/console.js")],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "retention.console.navigation.sidebar"},
    # Indigo: white on its 600 has a contrast of 6.
    "COLORS": {
        "primary": {
            "50": "oklch(96.2% .018 272.314)",
            "100": "oklch(93% .034 272.788)",
            "200": "oklch(87% .065 274.039)",
            "300": "oklch(78.5% .115 274.713)",
            "400": "oklch(67.3% .182 276.935)",
            "500": "oklch(58.5% .233 277.117)",
            "600": "oklch(51.1% .262 276.966)",
            "700": "oklch(45.7% .24 277.023)",
            "800": "oklch(39.8% .195 277.366)",
            "900": "oklch(35.9% .144 278.697)",
            "950": "oklch(25.7% .09 281.288)",
        },
    },
}
