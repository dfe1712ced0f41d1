"""Which Content-Security-Policy which pages get: strict for the world, looser where the console's theme needs it."""

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.urls import reverse

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
    """Django-csp, with the looser directives only under the addresses that need them."""

    def __init__(self, get_response=None) -> None:
        super().__init__(get_response)
        self.places: list[tuple[str, dict]] | None = None

    def get_policy_parts(self, request, response, report_only=False) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if self.places is None:
            # Not sooner: addresses exist only when the first request came.
            self.places = [(reverse("admin:index"), CONSOLE), (reverse("api:openapi-view"), API_DOCS)]
        for start, directives in self.places:
            if request.path.startswith(start):
                parts.replace = {**directives, **(parts.replace or {})}
        return parts
