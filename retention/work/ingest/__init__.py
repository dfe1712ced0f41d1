"""The one way in for bulk facts: rows → staging by COPY → checks in SQL → one insert and one update of what differs.

All or nothing unless asked otherwise; nothing is written twice, and what the rows do not say keeps its value.
"""

from retention.work.ingest.kinds import Kind
from retention.work.ingest.load import Difference, RowError
from retention.work.ingest.run import Cancelled, IngestResult, ingest
from retention.work.ingest.staging import Records, Sheet

__all__ = ["Cancelled", "Difference", "IngestResult", "Kind", "Records", "RowError", "Sheet", "ingest"]
