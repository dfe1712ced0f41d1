"""Which Content-Security-Policy which pages get: strict for the world, looser where the console's theme needs it."""

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings

#: Alpine, which the theme is built on, evaluates its attributes; charts and tables carry inline styles.
#: Messages are previewed in a sandboxed frame of this site.
CONSOLE = {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "frame-src": [SELF],
    "frame-ancestors": [SELF],
}
#: Swagger's page of the API's documentation writes inline styles.
API_DOCS = {"style-src": [SELF, UNSAFE_INLINE]}


class PolicyByPlace(CSPMiddleware):
    """Django-csp, with the looser directives only on the pages that need them."""

    def get_policy_parts(self, request, response, report_only=False) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        page = request.resolver_match
        if request.path_info.startswith(f"/{settings.CONSOLE_PATH}"):
            parts.replace = {**CONSOLE, **(parts.replace or {})}
        elif page is not None and page.view_name == "api:openapi-view":
            parts.replace = {**API_DOCS, **(parts.replace or {})}
        return parts
