"""A batch of unique codes beside COPY of ready codes into the same table with its indexes."""

from benchmarks import harness

from django.db import connection, transaction  # isort: skip

from retention import clock  # isort: skip
from retention.actors import Actor  # isort: skip
from retention.incentives import operations  # isort: skip
from retention.incentives.models import CodeBatch, Incentive  # isort: skip
from retention.incentives.operations import code_batches  # isort: skip
from retention.incentives.rules import IncentiveRule  # isort: skip

BY = Actor.command("bench")


def main() -> None:
    with harness.database():
        count, now = harness.size(200_000), clock.now()
        rule = IncentiveRule.model_validate({"name": "Bench", "effects": [{"kind": "percent", "basis_points": 1000}]})
        incentive = operations.create_incentive(rule=rule, now=now, by=BY)
        operations.go_live(incentive_id=incentive.pk, now=now, by=BY)
        runs = iter(range(10**6))

        def generate() -> int:
            batch = CodeBatch.objects.create(
                incentive=incentive,
                version=incentive.version,
                source=f"bench-{next(runs)}",
                purpose=CodeBatch.Purpose.POOL,
                wanted=count,
                created_at=now,
            )
            return code_batches.fill_batch(batch_id=batch.pk, now=now)

        def empty() -> None:
            harness.empty("incentives_code", "incentives_redemption")
            harness.settle()

        generate()  # the floor's rows name a batch too: the same rows, the same checks
        ready = _lines(incentive, sorted(rule.codes.as_pattern.make(count)))
        harness.compare("codes", ours=generate, floor=lambda: _copy(ready), unit="codes", prepare=empty)


def _lines(incentive: Incentive, codes: list[str]) -> bytes:
    """Ready rows as COPY reads them, in the order that suits the index best."""
    row = f"\t{incentive.pk}\t{incentive.version_id}\t{CodeBatch.objects.first().pk}\tf\tfree\n"
    return "".join(f"{code}{row}" for code in codes).encode()


def _copy(lines: bytes) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.cursor.copy(
            "COPY incentives_code (code, incentive_id, version_id, batch_id, is_public, state) FROM STDIN"
        ) as copy:
            copy.write(lines)
        return cursor.rowcount


if __name__ == "__main__":
    main()
