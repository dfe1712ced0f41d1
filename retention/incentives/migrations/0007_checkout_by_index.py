from django.db import migrations

FUNCTIONS = ("checkout_person_v1", "checkout_facts_v1", "redeem_v1", "roll_back_v1")


class Migration(migrations.Migration):
    """A session keeps the plans of these functions from its first call, when a table may still be empty and reading
    all of it looks cheap. Every statement in them finds single rows by an index, so they are told to.
    """

    dependencies = [("incentives", "0006_batches_need_no_lease")]

    operations = [
        migrations.RunSQL(
            [
                f"ALTER FUNCTION {name} SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan"
                for name in FUNCTIONS
            ],
            [f"ALTER FUNCTION {name} RESET ALL" for name in FUNCTIONS],
        ),
    ]
