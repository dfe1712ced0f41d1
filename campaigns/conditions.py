"""Conditions over what campaigns did with her and what she did with it, and over how near she lives to a place."""

from __future__ import annotations

from django import forms
from django.db.models import Exists, FloatField, Func, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.calendar.models import Place
from campaigns.models import Campaign, Touch
from campaigns.operations.stepping import ORIGIN
from retention.incentives.models import Grant, Redemption
from retention.messaging.models import Delivery
from retention.messaging.models.tracking import Event
from retention.registries import Condition, conditions, playbooks
from retention.segments import phrases
from retention.segments.arguments import Arguments, WhenEver, WordsField, within
from retention.segments.conditions.places import GROUP as WHERE_SHE_LIVES
from retention.segments.expressions import any_of

GROUP = _("Campaigns")
HELD_OUT = "held-out"


def campaign_pairs() -> list[tuple[str, str]]:
    found = Campaign.objects.filter(archived_at=None).order_by("name").values_list("public_id", "name")
    return [(str(public_id), name) for public_id, name in found]


def playbook_pairs() -> list[tuple[str, str]]:
    return [(playbook.key, str(playbook.label)) for playbook in playbooks]


class CampaignForm(WhenEver):
    campaigns = WordsField(
        label=_("campaigns"), required=False, among=campaign_pairs, help_text=_("Empty: any campaign.")
    )
    playbooks = WordsField(
        label=_("or made from"), required=False, among=playbook_pairs, help_text=_("Whatever campaign came from these.")
    )
    field_order = ["campaigns", "playbooks"]


def chosen(args) -> QuerySet[Campaign]:
    """The campaigns that are asked about."""
    named = Q()
    if args["campaigns"]:
        named |= Q(public_id__in=args["campaigns"])
    if args["playbooks"]:
        named |= Q(playbook__in=args["playbooks"])
    return Campaign.objects.filter(named)


def is_any(args) -> bool:
    return not (args["campaigns"] or args["playbooks"])


def touches(args) -> QuerySet[Touch]:
    """Touches of these campaigns in which something was done; who was held out or left out was not reached."""
    reached = Touch.objects.filter(is_ghost=False).exclude(state=Touch.State.SKIPPED)
    return reached if is_any(args) else reached.filter(campaign__in=chosen(args))


def named(args) -> str:
    """The campaigns in words."""
    labels = dict(campaign_pairs()) if args["campaigns"] else {}
    parts = [phrases.quoted(labels.get(key, key) for key in args["campaigns"])] if args["campaigns"] else []
    if args["playbooks"]:
        known = dict(playbook_pairs())
        made = phrases.quoted(known.get(key, key) for key in args["playbooks"])
        parts.append(gettext("a campaign made from %(playbooks)s") % {"playbooks": made})
    return phrases.listing(parts) or gettext("any campaign")


class OfCampaign(Condition):
    """Something about campaigns, in a window."""

    group = GROUP
    form_class = CampaignForm
    is_time_relative = True
    pattern = ""

    @classmethod
    def sentence(cls, args):
        return str(cls.pattern) % {"campaigns": named(args)} + phrases.when(args)


@conditions.register
class Touched(OfCampaign):
    """Reached by it, whether a message came of it or not; not those who were held out or skipped."""

    key = "campaign_touched"
    label = _("Was touched by a campaign")
    pattern = _("was touched by %(campaigns)s")

    @classmethod
    def q(cls, args, *, now):
        return any_of(touches(args).filter(**within("enlisted_at", args, now)))


def of_theirs(args, path: str = "") -> Q:
    """What was done on behalf of these campaigns: `path` leads to the row with an origin."""
    ours = Q(**{f"{path}origin": ORIGIN})
    if is_any(args):
        return ours
    theirs = Touch.objects.filter(campaign__in=chosen(args)).values("pk")
    return ours & Q(**{f"{path}origin_id__in": Subquery(theirs)})


@conditions.register
class WasSent(OfCampaign):
    key = "campaign_sent"
    label = _("Was sent a campaign's message")
    pattern = _("was sent a message of %(campaigns)s")

    @classmethod
    def q(cls, args, *, now):
        sent = Delivery.objects.filter(of_theirs(args), state=Delivery.State.SENT)
        return any_of(sent.filter(**within("left_at", args, now)))


class Answered(OfCampaign):
    """What a person did with a message; scanners and prefetching programs are no persons."""

    kinds: tuple[str, ...] = ()

    @classmethod
    def q(cls, args, *, now):
        events = Event.objects.filter(of_theirs(args, "delivery__"), kind__in=cls.kinds, is_machine=False)
        return any_of(events.filter(**within("at", args, now)), of="delivery__customer")


@conditions.register
class Opened(Answered):
    """A click is an opening too; programs that open mails by themselves do not count."""

    key = "campaign_opened"
    label = _("Opened a campaign's message")
    kinds = (Event.Kind.OPENED, Event.Kind.CLICKED)
    pattern = _("opened a message of %(campaigns)s")


@conditions.register
class Clicked(Answered):
    key = "campaign_clicked"
    label = _("Clicked in a campaign's message")
    kinds = (Event.Kind.CLICKED,)
    pattern = _("clicked in a message of %(campaigns)s")


@conditions.register
class Redeemed(OfCampaign):
    """A code that the campaign gave her was used and not rolled back."""

    key = "campaign_redeemed"
    label = _("Redeemed a campaign's offer")
    pattern = _("redeemed an offer of %(campaigns)s")

    @classmethod
    def q(cls, args, *, now):
        used = within("code__uses__redemption__redeemed_at", args, now)
        state = Redemption.State.REDEEMED
        return any_of(Grant.objects.filter(of_theirs(args), code__uses__redemption__state=state, **used))


@conditions.register
class Converted(OfCampaign):
    """She did what the campaign is for, within its days."""

    key = "campaign_converted"
    label = _("Did what a campaign is for")
    pattern = _("did what %(campaigns)s is for")

    @classmethod
    def q(cls, args, *, now):
        return any_of(touches(args).filter(converted_at__isnull=False, **within("converted_at", args, now)))


class ArmForm(CampaignForm):
    arms = WordsField(
        label=_("arms"), help_text=_("Keys of variants as the campaign names them; held-out for who got nothing.")
    )
    field_order = ["arms", "campaigns", "playbooks"]


@conditions.register
class InArm(OfCampaign):
    """Of a test inside a campaign: one of its variants, or held out for the sake of proof."""

    key = "campaign_arm"
    label = _("Is in an arm of a test")
    form_class = ArmForm

    @classmethod
    def q(cls, args, *, now):
        variants = [arm for arm in args["arms"] if arm != HELD_OUT]
        arms = Q(variant__in=variants, is_ghost=False) if variants else Q()
        if HELD_OUT in args["arms"]:
            arms |= Q(is_ghost=True)
        tested = Touch.objects.filter(arms, **within("enlisted_at", args, now))
        return any_of(tested if is_any(args) else tested.filter(campaign__in=chosen(args)))

    @classmethod
    def sentence(cls, args):
        words = {"arms": phrases.quoted(args["arms"]), "campaigns": named(args)}
        return gettext("is in the arm %(arms)s of %(campaigns)s") % words + phrases.when(args)


def place_pairs() -> list[tuple[str, str]]:
    return [(place.key, str(place)) for place in Place.objects.all()]


class NearForm(Arguments):
    kilometres = forms.IntegerField(label=_("kilometres"), min_value=1, max_value=20_000, initial=25)
    places = WordsField(
        label=_("around"),
        among=place_pairs,
        help_text=_("Cities of which is known where they lie: Places, in the menu."),
    )


class Kilometres(Func):
    """How far two points lie apart, each by its latitude and longitude."""

    function = "campaigns_kilometres_v1"
    arity = 4
    output_field = FloatField()


@conditions.register
class NearPlace(Condition):
    """Her city is one of which is known where it lies, and lies no further from one of these; else she is not near."""

    key = "near_place"
    label = _("Lives near a place")
    group = WHERE_SHE_LIVES
    form_class = NearForm
    looks_at = "city"
    #: Where a city lies is entered and corrected without any new fact of hers.
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        asked = [key.partition(":") for key in args["places"]]
        these = Q(*(Q(country=country, city__iexact=city) for country, _colon, city in asked), _connector=Q.OR)
        around = Place.objects.filter(these).annotate(
            away=Kilometres("latitude", "longitude", OuterRef("latitude"), OuterRef("longitude"))
        )
        hers = Place.objects.annotate(folded=Lower("city")).filter(
            Exists(around.filter(away__lte=args["kilometres"])),
            country=OuterRef("country"), folded=Lower(OuterRef("city")),
        )  # fmt: skip
        return Q(Exists(hers))

    @classmethod
    def sentence(cls, args):
        names = dict(place_pairs())
        places = [names.get(key, key.partition(":")[2]) for key in args["places"]]
        words = {"kilometres": args["kilometres"], "places": phrases.listing(places)}
        return gettext("lives within %(kilometres)s km of %(places)s") % words
