"""Topics: declared by marketers in the console, in every language of the shop."""

import pytest
from django.urls import reverse

from retention.audit.models import AuditEntry
from retention.messaging.models import Topic
from tests.console.conftest import as_role, person

__all__ = ["as_role", "person"]


@pytest.fixture
def marketer(shop, as_role):
    return as_role("marketer")


def test_a_marketer_declares_a_topic_and_names_it(marketer):
    page = marketer.get(reverse("admin:messaging_topic_add")).content.decode()
    assert 'name="names_en"' in page
    assert 'name="names_ko"' in page
    typed = {"key": "new-teas", "names_en": " New teas ", "names_ko": "새로 나온 차"}
    assert marketer.post(reverse("admin:messaging_topic_add"), typed).status_code == 302
    topic = Topic.objects.get()
    assert (topic.key, topic.names) == ("new-teas", {"en": "New teas", "ko": "새로 나온 차"})
    assert AuditEntry.objects.get(verb="messaging.save_topic").after["key"] == "new-teas"
    change = reverse("admin:messaging_topic_change", args=[topic.pk])
    assert "새로 나온 차" in marketer.get(change).content.decode()
    assert marketer.post(change, {"key": "other", "names_en": "Teas"}).status_code == 302
    assert Topic.objects.values_list("key", "names").get() == ("new-teas", {"en": "Teas"})


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"key": "New Teas", "names_en": "New teas"}, "Small letters, digits"),
        ({"key": "teas", "names_en": ""}, "This field is required"),
        ({"key": "teas", "names_ko": "차"}, "default language"),
    ],
)
def test_what_cannot_be_a_topic_comes_back_with_the_reason(marketer, typed, said):
    answer = marketer.post(reverse("admin:messaging_topic_add"), typed)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Topic.objects.exists()
