"""Every page of the console over a million rows of every fact, beside the log-in page of the same server.

    python -m benchmarks.pages            # 1,000,000 of each; BENCH_SCALE=0.05 for 50,000

Says how long each list takes as it opens, filtered, searched, ordered, and turned to its last page, and fails where
one takes longer than `LIMIT`.
"""

from benchmarks import harness  # isort: skip, sets Django up

import datetime as dt
import statistics
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlencode

from django.contrib import admin
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import reverse

from benchmarks import crowd
from retention.shop.models import Shop, Staff

#: Seconds that a page may take.
LIMIT = 1.0
#: What people type into the search of each list: something that is there once, often, and not at all.
SEARCHES = {
    "audit.auditentry": ["incentives.stop", "key:shop", "nothing"],
    "campaigns.campaign": ["Birth", "nothing"],
    "campaigns.holiday": ["new", "nothing"],
    "campaigns.touch": ["c7@example.com", "c7", "nothing"],
    "customers.activity": ["a7", "c7", "c7@example.com", "nothing"],
    "customers.consent": ["s7", "c7", "c7@example.com", "nothing"],
    "customers.customer": ["c1", "c77@example.com", "Stone", "Ada", "Ada Stone", "+4915100000007", "o77", "nothing"],
    "customers.order": ["o7", "o777", "nothing"],
    "customers.product": ["p7", "Record", "nothing"],
    "incentives.code": ["G7", "G00000077", "nothing"],
    "incentives.incentive": ["Every", "nothing"],
    "incentives.redemption": ["o7", "nothing"],
    "messaging.delivery": ["c7@example.com", "c7", "G00000077", "nothing"],
    "messaging.suppression": ["c7@example.com"],
    "messaging.template": ["birth", "nothing"],
    "segments.segment": ["Rep", "nothing"],
    "shop.staff": ["mar", "nothing"],
    "support.case": ["o7", "c7@example.com", "c7", "nothing"],
    "support.compensation": ["G00000007", "o7", "c7@example.com", "nothing"],
}
#: What a filter that waits for words or days is given.
TYPED = {"country": "DE", "language": "en", "verb": "incentives.stop", "customer_id": "7", "channel": "email"}
SINCE, UNTIL = dt.date(2025, 3, 1), dt.date(2025, 3, 31)


def main() -> int:
    # Pages name their styles and scripts by what `make demo` collects.
    call_command("collectstatic", verbosity=0, interactive=False)
    with harness.database():
        crowd.fill(harness.size(1_000_000))
        return measure()


def measure() -> int:
    """Time every page once warm; print the slow ones and the comparison; 1 where a page is over the limit."""
    client, stranger = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
    boss = Staff.objects.filter(is_superuser=True).first()
    client.force_login(boss, "django.contrib.auth.backends.ModelBackend")
    took: dict[str, float] = {}
    for page in pages(boss):
        took[page] = min(_seconds(client, page) for _turn in range(2))
    slowest = sorted(took.items(), key=lambda item: -item[1])
    for page, seconds in slowest[:15]:
        print(f"  {seconds * 1_000:7,.0f} ms  {page}")
    print(f"  median {statistics.median(took.values()) * 1_000:,.0f} ms of {len(took):,} pages")

    lists = [page for page in took if page.endswith("/")]
    login = reverse("admin:login")

    def ours() -> int:
        return len([_seconds(client, page) for page in lists])

    def floor() -> int:
        return len([_seconds(stranger, login) for _page in lists])

    harness.compare("pages", ours=ours, floor=floor, unit="pages", rounds=3)
    return 1 if slowest[0][1] > LIMIT else 0


def pages(user: Staff) -> Iterator[str]:
    """Addresses: home, each list in every way that it offers, the page of its newest row, and the heaviest rows."""
    yield reverse("admin:index")
    for term in ("c77@example.com", "G00000077", "o777", "Stone"):
        yield f"{reverse('admin:search')}?{urlencode({'s': term, 'extended': 1})}"
        yield f"{reverse('support:desk')}?{urlencode({'q': term})}"
    for model, site in sorted(admin.site._registry.items(), key=lambda item: item[0]._meta.label):
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        at = reverse(f"admin:{name}_changelist")
        if model is Shop:  # a single row, whose list leads to it
            continue
        request = RequestFactory().get(at)
        request.user = user
        changelist = site.get_changelist_instance(request)
        yield at
        for query in _ways(model._meta.label_lower, site, changelist):
            yield f"{at}?{query}"
        for row in list(changelist.result_list)[:1]:
            yield reverse(f"admin:{name}_change", args=[row.pk])
            yield reverse(f"admin:{name}_history", args=[row.pk])
    yield from crowd.heavy_pages()


def _ways(label: str, site: admin.ModelAdmin, changelist) -> Iterator[str]:
    for term in SEARCHES.get(label, []):
        yield urlencode({"q": term})
    for number, column in enumerate(site.list_display, start=1):
        if changelist.get_ordering_field(column) and site.sortable_by is None:
            yield urlencode({"o": number})
            yield urlencode({"o": -number})
    if changelist.paginator.num_pages > 1:
        yield urlencode({"p": 2})
        yield urlencode({"p": changelist.paginator.num_pages})
    for spec in changelist.filter_specs:
        yield from _choices(spec, changelist)


def _choices(spec, changelist) -> Iterator[str]:
    names = [name for name in spec.expected_parameters() if name]
    if names and names[0].endswith(("_from", "_from_0")):
        days = {"from": SINCE.isoformat(), "to": UNTIL.isoformat()}
        stem, times = names[0].removesuffix("_0").removesuffix("_from"), names[0].endswith("_0")
        ends = {f"{stem}_{end}{'_0' if times else ''}": day for end, day in days.items()}
        yield urlencode(ends | ({f"{stem}_from_1": "00:00", f"{stem}_to_1": "23:59"} if times else {}))
    elif getattr(spec, "parameter_name", "") in TYPED:
        yield urlencode({names[0]: TYPED[spec.parameter_name]})
    elif hasattr(spec, "lookup_choices") or hasattr(spec, "field"):
        for choice in list(spec.choices(changelist))[:12]:
            query = str(choice.get("query_string", "")).removeprefix("?")
            if query:
                yield query


def _seconds(client: Client, page: str) -> float:
    start = time.perf_counter()
    response = client.get(page, follow=True)
    took = time.perf_counter() - start
    if response.status_code != 200:
        raise RuntimeError(f"{page} answers {response.status_code}")
    return took


if __name__ == "__main__":
    sys.exit(main())
