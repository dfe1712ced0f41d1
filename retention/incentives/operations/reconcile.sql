-- Each counter that differs from what uses and grants say: incentive, which counter, subject, kept, facts.
WITH used AS (
    -- Every use, with how many and how much of it counts.
    SELECT use.*, redemption.customer_id, redemption.persons, redemption.currency, redemption.policy_id,
           CASE WHEN use.is_counted THEN 1 ELSE 0 END AS uses, use.discount_minor - use.given_back_minor AS money
    FROM incentives_use use JOIN incentives_redemption redemption ON redemption.id = use.redemption_id
), whose AS (
    -- Under which names its customer is counted.
    SELECT used.id, 'person' AS scope, person AS subject_id FROM used, unnest(used.persons) AS person
    UNION ALL
    SELECT used.id, 'customer', used.customer_id FROM used WHERE used.customer_id IS NOT NULL
), limited AS (
    -- The limits that a use was counted by, when it was made or since, one row for each subject. Of each version only
    -- those are found that are its kind's: of an incentive, a budget, the policy.
    SELECT used.id, used.incentive_id, subject.scope, subject.subject_id, windows.one
    FROM used CROSS JOIN unnest(array_append(used.counted_by, used.version_id)) AS counted (by)
    JOIN audit_version version ON version.id = counted.by
    CROSS JOIN jsonb_path_query(version.data, 'strict $.limits.windows[*]', silent => true) AS windows (one)
    CROSS JOIN LATERAL (
        SELECT 'incentive' AS scope, 0::bigint AS subject_id WHERE windows.one ->> 'per' = 'incentive'
        UNION ALL
        SELECT 'code', used.code_id WHERE windows.one ->> 'per' = 'code' AND used.code_id IS NOT NULL
        UNION ALL
        SELECT whose.scope, whose.subject_id FROM whose
        WHERE whose.id = used.id AND windows.one ->> 'per' = 'customer'
    ) subject
    UNION ALL
    SELECT used.id, 0, 'budget', used.budget_id, windows.one
    FROM used CROSS JOIN unnest(array_append(used.counted_by, used.budget_version_id)) AS counted (by)
    JOIN audit_version version ON version.id = counted.by
    CROSS JOIN jsonb_path_query(version.data, 'strict $.limits[*]', silent => true) AS windows (one)
    WHERE windows.one ->> 'issued' IS NULL
    UNION ALL
    SELECT used.id, 0, whose.scope, whose.subject_id, windows.one
    FROM used CROSS JOIN unnest(array_append(used.counted_by, used.policy_id)) AS counted (by)
    JOIN audit_version version ON version.id = counted.by
    JOIN whose ON whose.id = used.id
    CROSS JOIN jsonb_path_query(version.data, 'strict $.allowance[*]', silent => true) AS windows (one)
), moved AS (
    -- Which counter each use moved, by how much; once, however many limits ask for it.
    SELECT id, incentive_id, 'incentive' AS scope, 0::bigint AS subject_id, '' AS period, '' AS currency, uses AS by
    FROM used
    UNION
    SELECT id, incentive_id, 'incentive', 0, '', currency, money FROM used WHERE discount_minor > 0
    UNION
    SELECT used.id, used.incentive_id, whose.scope, whose.subject_id, '', '', uses
    FROM used JOIN whose ON whose.id = used.id
    UNION
    SELECT id, 0, 'budget', budget_id, '', '', uses FROM used WHERE budget_id IS NOT NULL
    UNION
    SELECT id, 0, 'budget', budget_id, '', currency, money FROM used WHERE budget_id IS NOT NULL AND discount_minor > 0
    UNION
    -- A rolling limit is counted over the uses; of its subject only the lifetime row is kept.
    SELECT used.id, limited.incentive_id, limited.scope, limited.subject_id,
           CASE WHEN (limited.one ->> 'is_rolling')::boolean THEN ''
                ELSE CASE limited.one ->> 'within'
                     WHEN 'day' THEN 'D' || used.used_on
                     WHEN 'week' THEN 'W' || date_trunc('week', used.used_on)::date
                     WHEN 'month' THEN 'M' || to_char(used.used_on, 'YYYY-MM')
                     ELSE '' END
           END,
           CASE WHEN (limited.one ->> 'is_rolling')::boolean THEN ''
                ELSE coalesce(limited.one #>> '{money,currency}', '') END,
           CASE WHEN (limited.one ->> 'is_rolling')::boolean OR limited.one ->> 'money' IS NULL THEN used.uses
                ELSE used.money END
    FROM limited JOIN used ON used.id = limited.id
    WHERE (limited.one ->> 'is_rolling')::boolean OR limited.one ->> 'money' IS NULL
       OR limited.one #>> '{money,currency}' = used.currency
), facts AS (
    SELECT incentive_id, scope, subject_id, period, currency, sum(by) AS count FROM moved
    GROUP BY incentive_id, scope, subject_id, period, currency
), kept AS (
    -- An incentive's own row holds what was leased to its stripes; of it only what they used is used.
    SELECT incentive_id, CASE scope WHEN 'stripe' THEN 'incentive' ELSE scope END AS scope,
           CASE scope WHEN 'stripe' THEN 0 ELSE subject_id END AS subject_id, period, currency,
           sum(redeemed + spent_minor - CASE scope WHEN 'stripe' THEN coalesce(most, 0) ELSE 0 END) AS count
    FROM incentives_counter WHERE scope NOT IN ('issue', 'issue_budget', 'code')
    GROUP BY 1, 2, 3, 4, 5
), coded AS (
    -- Codes are counted where their limit asks for it.
    SELECT incentive_id, code_id AS subject_id, sum(uses) AS count FROM used WHERE code_id IS NOT NULL
    GROUP BY incentive_id, code_id
), coded_within AS (
    SELECT * FROM facts WHERE scope = 'code' AND (period, currency) <> ('', '')
), issued AS (
    SELECT incentive_id, count(*) AS count FROM incentives_grant
    WHERE state = 'active' AND origin <> 'incentives.redemption' GROUP BY incentive_id
), issued_each AS (
    SELECT g.incentive_id, g.customer_id, count(*) AS count
    FROM incentives_grant g
    JOIN incentives_incentive incentive ON incentive.id = g.incentive_id
    JOIN audit_version version ON version.id = incentive.version_id
    WHERE g.state = 'active' AND g.customer_id IS NOT NULL AND g.origin <> 'incentives.redemption'
      AND (version.data #>> '{limits,issued_per_customer}') IS NOT NULL
    GROUP BY g.incentive_id, g.customer_id
), issued_of_budget AS (
    SELECT budget_id AS subject_id, periods.period, count(*) AS count
    FROM incentives_grant
    CROSS JOIN LATERAL (VALUES (''), ('D' || granted_on), ('W' || date_trunc('week', granted_on)::date),
                               ('M' || to_char(granted_on, 'YYYY-MM'))) AS periods (period)
    WHERE state = 'active' AND budget_id IS NOT NULL
    GROUP BY budget_id, periods.period
)
SELECT incentive_id, concat_ws(' ', scope, 'redeemed', nullif(period, '')) AS what, subject_id,
       coalesce(kept.count, 0) AS kept, coalesce(facts.count, 0) AS facts
FROM (SELECT * FROM kept WHERE currency = '') kept
FULL JOIN (SELECT * FROM facts WHERE currency = '' AND scope <> 'code') facts
    USING (incentive_id, scope, subject_id, period, currency)
WHERE coalesce(kept.count, 0) <> coalesce(facts.count, 0)
UNION ALL
SELECT incentive_id, concat_ws(' ', nullif(scope, 'incentive'), 'spent', currency, nullif(period, '')), subject_id,
       coalesce(kept.count, 0), coalesce(facts.count, 0)
FROM (SELECT * FROM kept WHERE currency <> '') kept
FULL JOIN (SELECT * FROM facts WHERE currency <> '' AND scope <> 'code') facts
    USING (incentive_id, scope, subject_id, period, currency)
WHERE coalesce(kept.count, 0) <> coalesce(facts.count, 0)
UNION ALL
SELECT c.incentive_id, 'code redeemed', c.subject_id, c.redeemed, coalesce(f.count, 0)
FROM incentives_counter c LEFT JOIN coded f ON (f.incentive_id, f.subject_id) = (c.incentive_id, c.subject_id)
WHERE c.scope = 'code' AND c.period = '' AND c.currency = '' AND c.redeemed <> coalesce(f.count, 0)
UNION ALL
SELECT incentive_id, concat_ws(' ', 'code', nullif(currency, ''), nullif(period, '')), subject_id,
       coalesce(c.redeemed + c.spent_minor, 0), coalesce(f.count, 0)
FROM (SELECT * FROM incentives_counter WHERE scope = 'code' AND (period, currency) <> ('', '')) c
FULL JOIN coded_within f USING (incentive_id, subject_id, period, currency)
WHERE coalesce(c.redeemed + c.spent_minor, 0) <> coalesce(f.count, 0)
UNION ALL
SELECT coalesce(f.incentive_id, c.incentive_id), 'issued', 0, coalesce(c.issued, 0), coalesce(f.count, 0)
FROM issued f
FULL JOIN (SELECT * FROM incentives_counter WHERE scope = 'issue') c ON c.incentive_id = f.incentive_id
WHERE coalesce(c.issued, 0) <> coalesce(f.count, 0)
UNION ALL
SELECT f.incentive_id, 'issued to a customer', f.customer_id, coalesce(c.issued, 0), f.count
FROM issued_each f
LEFT JOIN incentives_counter c
  ON c.incentive_id = f.incentive_id AND c.scope = 'customer' AND c.subject_id = f.customer_id AND c.period = ''
 AND c.currency = ''
WHERE coalesce(c.issued, 0) <> f.count
UNION ALL
SELECT 0, concat_ws(' ', 'issued of a budget', nullif(period, '')), subject_id, coalesce(c.issued, 0),
       coalesce(f.count, 0)
FROM issued_of_budget f
FULL JOIN (SELECT * FROM incentives_counter WHERE scope = 'issue_budget') c USING (subject_id, period)
WHERE coalesce(c.issued, 0) <> coalesce(f.count, 0)
ORDER BY 1, 2, 3
