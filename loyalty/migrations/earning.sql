-- How members earn: who is looked at is locked, what was weighed is written.

-- Lock the members behind some facts, in the order of all who lock members, in a programme that is live and stays so
-- until this ends. Then: each member as [number, customer, joined, left, key of her tier, month of birth], and which of the orders and
-- activities have earned already.
CREATE FUNCTION loyalty_lock_v1(
    p_programme bigint, p_customers bigint[], p_orders bigint[], p_activities bigint[],
    OUT is_live boolean, OUT members json, OUT orders bigint[], OUT activities bigint[]
) LANGUAGE plpgsql SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
BEGIN
    -- Whoever pauses or ends it waits for this.
    SELECT programme.state = 'live' INTO is_live FROM loyalty_programme programme WHERE programme.id = p_programme FOR SHARE;
    IF is_live IS NOT TRUE THEN
        RETURN;
    END IF;
    SELECT coalesce(json_agg(json_build_array(
        hers.id, hers.customer_id, hers.joined_at, hers.left_at,
        coalesce((SELECT tier.key FROM loyalty_tier tier WHERE tier.id = hers.tier_id), ''),
        (SELECT customer.birth_month FROM customers_customer customer WHERE customer.id = hers.customer_id))), '[]')
    INTO members FROM (
        SELECT member.* FROM loyalty_member member
        WHERE member.programme_id = p_programme AND member.customer_id = ANY (p_customers)
        ORDER BY member.id FOR NO KEY UPDATE) hers;
    orders := ARRAY(SELECT earning.order_id FROM loyalty_earning earning
                    JOIN loyalty_member member ON member.id = earning.member_id
                    WHERE member.programme_id = p_programme AND earning.order_id = ANY (p_orders));
    activities := ARRAY(SELECT earning.activity_id FROM loyalty_earning earning
                        JOIN loyalty_member member ON member.id = earning.member_id
                        WHERE member.programme_id = p_programme AND earning.activity_id = ANY (p_activities));
END $$;

-- Write what was earned, in columns; the caller holds the members' locks. `p_codes`: of packs and receipts, or NULL; one
-- that has earned by this rule earns nothing. Returns the earnings in this order, NULL for what earned before.
CREATE FUNCTION loyalty_earn_v1(
    p_now timestamptz, p_programme bigint, p_members bigint[], p_rules text[], p_versions bigint[], p_orders bigint[],
    p_activities bigint[], p_abouts text[], p_amounts bigint[], p_counts boolean[], p_tiers text[], p_whys text[],
    p_earned_at timestamptz[], p_codes text[]
) RETURNS bigint[] LANGUAGE plpgsql SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    v_ids bigint[] := ARRAY(SELECT nextval('loyalty_earning_id_seq') FROM generate_series(1, cardinality(p_members)));
    v_count bigint;
BEGIN
    INSERT INTO loyalty_earning
           (id, member_id, rule, version_id, order_id, activity_id, about, given, amount, counts_for_tier, tier, why,
            earned_at, recorded_at)
    SELECT row.id, row.member_id, row.rule, row.version_id, row.order_id, row.activity_id, row.about, row.amount,
           row.amount, row.counts, row.tier, row.why::jsonb, row.earned_at, p_now
    FROM unnest(v_ids, p_members, p_rules, p_versions, p_orders, p_activities, p_abouts, p_amounts, p_counts, p_tiers,
                p_whys, p_earned_at)
         AS row (id, member_id, rule, version_id, order_id, activity_id, about, amount, counts, tier, why, earned_at)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF p_codes IS NOT NULL THEN
        INSERT INTO loyalty_usedcode (earning_id, programme_id, rule, code)
        SELECT earning.id, p_programme, row.rule, row.code
        FROM unnest(v_ids, p_rules, p_codes) AS row (id, rule, code) JOIN loyalty_earning earning ON earning.id = row.id
        WHERE row.code <> ''
        ORDER BY row.rule, row.code -- two calls with the same codes wait for each other, and never in a circle
        ON CONFLICT DO NOTHING;
        DELETE FROM loyalty_earning earning
        USING unnest(v_ids, p_codes) AS row (id, code)
        WHERE earning.id = row.id AND row.code <> ''
          AND NOT EXISTS (SELECT FROM loyalty_usedcode used WHERE used.earning_id = earning.id);
    ELSIF v_count = cardinality(v_ids) THEN
        RETURN v_ids;
    END IF;
    RETURN ARRAY(SELECT earning.id FROM unnest(v_ids) WITH ORDINALITY AS row (id, place)
                 LEFT JOIN loyalty_earning earning ON earning.id = row.id ORDER BY row.place);
END $$;
