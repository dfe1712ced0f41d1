-- Grants of an offer that gives nothing but value in accounts, and the value with them: all of them, or nothing.
--
-- `p_of`: whose each part of the value is, by place among the sources; `p_ns`: its place in the offer. The other columns
-- from there on: its unit, the shop's account that it comes from, how much, and when it begins and ends.
-- Outcomes: done, with the grants in the order of the sources; sift: some were granted before, or their customers are
-- nobody or somebody else now; changed: the offer was stopped, saved, or given as often as it may be.
CREATE FUNCTION grant_value_v1(
    p_now timestamptz, p_day date, p_by text, p_incentive bigint, p_version bigint, p_most bigint, p_origin text,
    p_expires_at timestamptz, p_budget bigint, p_granted_on date, p_sources text[], p_customers bigint[],
    p_origin_ids bigint[], p_terms text[], p_of int[], p_ns int[], p_units bigint[], p_from bigint[],
    p_amounts bigint[], p_active_at timestamptz[], p_events text[], p_ends timestamptz[],
    OUT outcome text, OUT grants bigint[]
) LANGUAGE plpgsql SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    v_count bigint;
    v_parts int := cardinality(p_of);
    v_entries bigint[];
BEGIN
    grants := ARRAY(SELECT nextval('incentives_grant_id_seq') FROM generate_series(1, cardinality(p_sources)));
    INSERT INTO incentives_grant
           (id, incentive_id, version_id, customer_id, source, origin, origin_id, state, terms, granted_at, granted_by,
            expires_at, budget_id, granted_on)
    SELECT wish.id, p_incentive, p_version, customer.id, wish.source, p_origin, wish.origin_id, 'active',
           coalesce(wish.terms, '{}')::jsonb, p_now, p_by, p_expires_at, p_budget, p_granted_on
    FROM unnest(grants, p_sources, p_customers, p_origin_ids, p_terms)
         AS wish (id, source, customer_id, origin_id, terms)
    JOIN customers_customer customer ON customer.id = wish.customer_id
         AND customer.merged_into_id IS NULL AND customer.erased_at IS NULL
    ORDER BY wish.source -- two calls with the same sources wait for each other, and never in a circle
    ON CONFLICT (source) DO NOTHING;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF v_count < cardinality(p_sources) THEN
        RAISE EXCEPTION 'sift' USING ERRCODE = 'RR001';
    END IF;
    v_entries := ledger_issue_v1(
        p_now, p_by, ARRAY(SELECT 'grant:' || grants[part.of] || ':' || part.n
                           FROM unnest(p_of, p_ns) WITH ORDINALITY AS part (of, n, place) ORDER BY part.place),
        p_units, p_from, ledger_accounts_v1(p_now, p_units, ARRAY(
            SELECT p_customers[part.of] FROM unnest(p_of) WITH ORDINALITY AS part (of, place) ORDER BY part.place)),
        p_amounts, array_fill('issue'::text, ARRAY[v_parts]), array_fill('incentives.grant'::text, ARRAY[v_parts]),
        ARRAY(SELECT grants[part.of] FROM unnest(p_of) WITH ORDINALITY AS part (of, place) ORDER BY part.place),
        p_active_at, p_events, p_ends, NULL, NULL, NULL, NULL);
    PERFORM ledger_count_v1(p_day, v_entries);
    -- Last, as other grants wait for it.
    UPDATE incentives_counter counter SET issued = counter.issued + v_count
    WHERE counter.incentive_id = p_incentive AND counter.scope = 'issue' AND counter.subject_id = 0
      AND counter.period = '' AND counter.currency = '' AND NOT counter.is_stopped AND counter.version_id = p_version
      AND (p_most IS NULL OR counter.issued + v_count <= p_most);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'changed' USING ERRCODE = 'RR001';
    END IF;
    outcome := 'done';
EXCEPTION WHEN SQLSTATE 'RR001' THEN
    outcome := SQLERRM;
    grants := NULL;
END $$;
