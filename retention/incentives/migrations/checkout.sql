-- The hot path's read and write: everything a checkout decision needs, and a redemption.
--
-- A session keeps the plans of these functions from its first call, when a table may still be empty and reading all of
-- it looks cheap. Every statement in them finds single rows by an index, so each function is told to.

-- Everything that the decision about a checkout reads, as one JSON array, which is read faster than many columns:
-- what is known of the shopper, the products and the shop, and last an array for each code that is there and each live
-- automatic offer.
--
-- The person: by the shop's reference, our public id, or email; a merged one is who she became. She is also counted by
-- a keyed hash of her email, so that a guest who becomes a customer does not begin again; `p_persons` are further
-- hashes that the caller made, of phone, address or payment.
-- The codes: for each what was typed, and what it may mean with look-alikes read as what they stand for (or nothing).
CREATE FUNCTION checkout_facts_v2(
    p_codes text, p_reference text, p_public_id uuid, p_email text, p_hash_key bytea, p_email_key bigint,
    p_persons bigint[], p_skus text, p_currency text, p_order text, p_day date, p_with_automatic boolean
) RETURNS json LANGUAGE plpgsql STABLE SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    v_customer bigint;
    v_email text;
    v_email_key bigint := p_email_key;
    v_persons bigint[] := p_persons;
    v_orders bigint := 0;
    v_tiers json;
    v_products json;
    v_shop record;
    v_policy bigint;
    v_rate numeric := 1;
    v_typed text[] := string_to_array(p_codes, E'\x1f');
    v_codes int := coalesce(array_length(v_typed, 1), 0) / 2;
    v_own text;
    v_automatic bigint[];
    v_offer record;
    v_incentive record;
    v_terms jsonb;
    v_budget bigint;
    v_is_stopped boolean;
    v_is_striped boolean;
    v_used bigint;
    v_spent bigint;
    v_more_used bigint;
    v_more_spent bigint;
    v_by_code bigint;
    v_by_customer bigint;
    v_by_person bigint;
    v_offers json[] := '{}';
BEGIN
    IF p_reference IS NOT NULL THEN
        SELECT coalesce(c.merged_into_id, c.id) INTO v_customer FROM customers_customer c WHERE c.reference = p_reference;
    END IF;
    IF v_customer IS NULL AND p_public_id IS NOT NULL THEN
        SELECT coalesce(c.merged_into_id, c.id) INTO v_customer FROM customers_customer c WHERE c.public_id = p_public_id;
    END IF;
    IF v_customer IS NULL AND p_email IS NOT NULL THEN
        SELECT c.id INTO v_customer FROM customers_customer c WHERE c.email_normal = p_email AND c.merged_into_id IS NULL;
    END IF;
    IF v_customer IS NOT NULL THEN
        SELECT c.email_normal INTO v_email FROM customers_customer c WHERE c.id = v_customer;
        SELECT count(*) INTO v_orders FROM customers_order o
        WHERE o.customer_id = v_customer
          AND o.state IN ('paid', 'fulfilled', 'partially_returned', 'returned')
          AND o.reference IS DISTINCT FROM p_order;
        SELECT json_agg(t.programme || '.' || t.tier) INTO v_tiers
        FROM incentives_shoppertier t WHERE t.customer_id = v_customer;
        IF v_email <> p_email OR p_email IS NULL AND v_email IS NOT NULL THEN
            v_email_key := substr(sha256(p_hash_key || convert_to(v_email, 'UTF8')), 1, 8)::bigint;
        END IF;
    END IF;
    IF v_email_key IS NOT NULL THEN
        v_persons := array_append(v_persons, v_email_key);
    END IF;

    -- No product number holds the separator: it is a control character.
    SELECT json_agg(json_build_array(p.sku, p.category, p.tags, p.minimum_price_minor, p.currency, p.is_low_margin))
    INTO v_products FROM customers_product p WHERE p.sku = ANY (string_to_array(p_skus, E'\x1f'));
    SELECT s.currency, s.time_zone INTO v_shop FROM shop_shop s;
    SELECT p.version_id INTO v_policy FROM incentives_checkoutpolicy p;
    IF v_shop.currency <> p_currency THEN
        v_rate := NULL;
        SELECT r.rate INTO v_rate FROM shop_exchangerate r
        WHERE r.currency = p_currency AND r."on" <= p_day ORDER BY r."on" DESC LIMIT 1;
    END IF;

    IF p_with_automatic THEN
        IF v_customer IS NOT NULL THEN
            -- Her own codes that apply by themselves, as if she had typed them; a person has few.
            FOR v_own IN
                SELECT c.code FROM incentives_code c
                WHERE c.customer_id = v_customer AND c.applies_by_itself AND c.state = 'given' AND c.code <> ALL (v_typed)
                ORDER BY c.id LIMIT 20
            LOOP
                v_typed := v_typed || ARRAY[v_own, ''];
                v_codes := v_codes + 1;
            END LOOP;
        END IF;
        SELECT array_agg(i.id) INTO v_automatic FROM incentives_incentive i
        WHERE i.code_kind = 'automatic' AND i.state = 'live';
    END IF;
    FOR v_at IN 1 .. v_codes + coalesce(array_length(v_automatic, 1), 0) LOOP
        v_terms := NULL;
        v_budget := NULL;
        IF v_at <= v_codes THEN
            SELECT c.id, c.code, c.version_id, c.customer_id, c.state, c.starts_at, c.expires_at, c.grant_id,
                   c.incentive_id
            INTO v_offer FROM incentives_code c WHERE c.code = v_typed[2 * v_at - 1] AND NOT c.is_card;
            IF NOT FOUND THEN
                CONTINUE WHEN v_typed[2 * v_at] = '';
                SELECT c.id, c.code, c.version_id, c.customer_id, c.state, c.starts_at, c.expires_at, c.grant_id,
                       c.incentive_id
                INTO v_offer FROM incentives_code c WHERE c.code = v_typed[2 * v_at] AND NOT c.is_card;
                CONTINUE WHEN NOT FOUND;
            END IF;
            -- One lookup each: a join begins by making ready what it may not need, and is slower.
            IF v_offer.grant_id IS NOT NULL THEN
                SELECT g.terms, g.budget_id INTO v_terms, v_budget FROM incentives_grant g WHERE g.id = v_offer.grant_id;
            END IF;
            SELECT i.public_id, i.name, i.state INTO v_incentive FROM incentives_incentive i
            WHERE i.id = v_offer.incentive_id;
        ELSE
            SELECT i.id, i.public_id, i.name, i.state, i.version_id, i.starts_at, i.ends_at
            INTO v_incentive FROM incentives_incentive i WHERE i.id = v_automatic[v_at - v_codes];
            -- A record keeps the types of its fields: those of a code.
            SELECT NULL::bigint AS id, NULL::varchar AS code, v_incentive.version_id, NULL::bigint AS customer_id,
                   'given'::varchar AS state, v_incentive.starts_at, v_incentive.ends_at AS expires_at,
                   NULL::bigint AS grant_id, v_incentive.id AS incentive_id
            INTO v_offer;
        END IF;
        SELECT c.redeemed, c.is_stopped, c.is_striped INTO v_used, v_is_stopped, v_is_striped
        FROM incentives_counter c
        WHERE c.incentive_id = v_offer.incentive_id AND c.scope = 'incentive' AND c.subject_id = 0 AND c.period = ''
          AND c.currency = '';
        SELECT c.spent_minor INTO v_spent FROM incentives_counter c
        WHERE c.incentive_id = v_offer.incentive_id AND c.scope = 'incentive' AND c.subject_id = 0 AND c.period = ''
          AND c.currency = p_currency;
        IF v_is_striped THEN
            -- Of what was leased to the stripes, only what was used of it.
            SELECT coalesce(sum(c.redeemed - coalesce(c.most, 0)) FILTER (WHERE c.currency = ''), 0),
                   coalesce(sum(c.spent_minor - coalesce(c.most, 0)) FILTER (WHERE c.currency = p_currency), 0)
            INTO v_more_used, v_more_spent
            FROM incentives_counter c WHERE c.incentive_id = v_offer.incentive_id AND c.scope = 'stripe';
            v_used := v_used + v_more_used;
            v_spent := coalesce(v_spent, 0) + v_more_spent;
        END IF;
        v_by_code := NULL;
        IF v_offer.id IS NOT NULL THEN
            SELECT c.redeemed INTO v_by_code FROM incentives_counter c
            WHERE c.incentive_id = v_offer.incentive_id AND c.scope = 'code' AND c.subject_id = v_offer.id
              AND c.period = '' AND c.currency = '';
        END IF;
        v_by_customer := NULL;
        IF v_customer IS NOT NULL THEN
            SELECT c.redeemed INTO v_by_customer FROM incentives_counter c
            WHERE c.incentive_id = v_offer.incentive_id AND c.scope = 'customer' AND c.subject_id = v_customer
              AND c.period = '' AND c.currency = '';
        END IF;
        v_by_person := NULL;
        IF v_persons <> '{}' THEN
            SELECT max(c.redeemed) INTO v_by_person FROM incentives_counter c
            WHERE c.incentive_id = v_offer.incentive_id AND c.scope = 'person' AND c.subject_id = ANY (v_persons)
              AND c.period = '' AND c.currency = '';
        END IF;
        v_offers := array_append(v_offers, json_build_array(
            v_at, v_offer.id, v_offer.code, v_offer.version_id, v_offer.customer_id, v_offer.state, v_offer.starts_at,
            v_offer.expires_at, v_terms, v_budget, v_offer.incentive_id, v_incentive.public_id, v_incentive.name,
            v_incentive.state, v_is_stopped, v_used, coalesce(v_spent, 0), coalesce(v_by_code, 0),
            coalesce(v_by_customer, 0), coalesce(v_by_person, 0)));
    END LOOP;
    RETURN json_build_array(v_customer, v_email_key, v_orders, v_tiers, v_products, v_shop.currency, v_rate::text,
                            v_shop.time_zone, v_policy, array_to_json(v_offers));
END $$;

-- What was used since an instant of an incentive (0: of all) by one code, budget or person: for rolling limits.
CREATE FUNCTION rolling_used_v1(
    p_incentive bigint, p_scope text, p_subject bigint, p_persons bigint[], p_since timestamptz, p_currency text
) RETURNS bigint LANGUAGE sql STABLE SET enable_seqscan TO off AS $$
    SELECT coalesce(CASE p_currency WHEN '' THEN count(*) FILTER (WHERE use.is_counted)
                    ELSE sum(use.discount_minor - use.given_back_minor) FILTER (WHERE redemption.currency = p_currency)
                    END, 0)::bigint
    FROM incentives_use use JOIN incentives_redemption redemption ON redemption.id = use.redemption_id
    WHERE use.used_at > p_since AND (p_incentive = 0 OR use.incentive_id = p_incentive)
      AND CASE p_scope WHEN 'code' THEN use.code_id = p_subject
                       WHEN 'budget' THEN use.budget_id = p_subject
                       ELSE use.rolling_for && p_persons END
$$;

-- Move counters up by what is asked, each unless that passes its limit or it is stopped.
-- They are moved in the order given, which is the same everywhere: so two checkouts never wait in a circle.
-- A stripe's limit is its own lease; without one it has none. Raises RR001 where one would not move: the transaction leaves nothing behind.
CREATE FUNCTION count_v1(
    p_incentives bigint[], p_scopes text[], p_subjects bigint[], p_periods text[], p_currencies text[],
    p_amounts bigint[], p_mosts bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_moved bigint;
BEGIN
    INSERT INTO incentives_counter AS counter
           (incentive_id, scope, subject_id, period, currency, issued, redeemed, spent_minor, most, is_stopped)
    SELECT asked.incentive_id, asked.scope, asked.subject_id, asked.period, asked.currency, 0,
           CASE asked.currency WHEN '' THEN asked.amount ELSE 0 END,
           CASE asked.currency WHEN '' THEN 0 ELSE asked.amount END,
           CASE asked.scope WHEN 'stripe' THEN NULL ELSE asked.most END, false
    FROM unnest(p_incentives, p_scopes, p_subjects, p_periods, p_currencies, p_amounts, p_mosts) WITH ORDINALITY
         AS asked (incentive_id, scope, subject_id, period, currency, amount, most, at)
    WHERE asked.most IS NULL OR asked.amount <= asked.most
    ORDER BY asked.at
    ON CONFLICT (incentive_id, scope, subject_id, period, currency)
    DO UPDATE SET redeemed = counter.redeemed + excluded.redeemed,
                  spent_minor = counter.spent_minor + excluded.spent_minor,
                  most = CASE counter.scope WHEN 'stripe' THEN counter.most
                         ELSE coalesce(excluded.most, counter.most) END
    WHERE NOT counter.is_stopped
      AND coalesce(counter.redeemed + counter.spent_minor + excluded.redeemed + excluded.spent_minor
                   <= CASE counter.scope WHEN 'stripe' THEN counter.most ELSE excluded.most END, true);
    GET DIAGNOSTICS v_moved = ROW_COUNT;
    IF v_moved < array_length(p_incentives, 1) THEN
        RAISE EXCEPTION 'counter' USING ERRCODE = 'RR001';
    END IF;
END $$;

-- Room on a stripe for `p_need` more: true where there is some now, false where the whole limit is used.
-- It is leased from the incentive's own row, many times what is needed if that much is left; when too little is left,
-- what the other stripes do not use comes back first. So nobody is told "used up" while a coin is left.
-- The own row is locked before the stripes, and who has locked a stripe for a count never asks for its own row later.
CREATE FUNCTION lease_v1(
    p_incentive bigint, p_currency text, p_stripe bigint, p_need bigint, p_chunk bigint, p_limit bigint
) RETURNS boolean LANGUAGE plpgsql SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    v_own record;
    v_stripe record;
    v_left bigint;
    v_lease bigint;
BEGIN
    INSERT INTO incentives_counter (incentive_id, scope, subject_id, period, currency, issued, redeemed, spent_minor,
                                    is_stopped)
    VALUES (p_incentive, 'incentive', 0, '', p_currency, 0, 0, 0, false),
           (p_incentive, 'stripe', p_stripe, '', p_currency, 0, 0, 0, false)
    ON CONFLICT (incentive_id, scope, subject_id, period, currency) DO NOTHING;
    SELECT counter.id, counter.redeemed + counter.spent_minor AS used INTO v_own FROM incentives_counter counter
    WHERE counter.incentive_id = p_incentive AND counter.scope = 'incentive' AND counter.subject_id = 0
      AND counter.period = '' AND counter.currency = p_currency
    FOR NO KEY UPDATE;
    SELECT counter.id, counter.redeemed + counter.spent_minor AS used, counter.most INTO v_stripe
    FROM incentives_counter counter
    WHERE counter.incentive_id = p_incentive AND counter.scope = 'stripe' AND counter.subject_id = p_stripe
      AND counter.period = '' AND counter.currency = p_currency
    FOR NO KEY UPDATE;
    IF v_stripe.used + p_need <= v_stripe.most THEN
        RETURN true;
    END IF;
    v_left := p_limit - v_own.used;
    v_lease := least(greatest(p_chunk, p_need), v_left);
    IF p_limit IS NULL THEN
        v_lease := greatest(p_chunk, p_need);
    ELSIF v_stripe.most IS NULL OR v_lease < v_stripe.used + p_need - v_stripe.most THEN
        -- Too little is left: take back what no stripe has used. One that never had a limit gets its use as lease.
        WITH others AS MATERIALIZED (
            SELECT counter.id, counter.redeemed + counter.spent_minor AS used, counter.most
            FROM incentives_counter counter
            WHERE counter.incentive_id = p_incentive AND counter.scope = 'stripe' AND counter.period = ''
              AND counter.currency = p_currency
            ORDER BY counter.subject_id FOR NO KEY UPDATE
        ), drained AS (
            UPDATE incentives_counter counter SET most = others.used FROM others WHERE counter.id = others.id
            RETURNING coalesce(others.most, 0) - others.used AS unused
        )
        SELECT v_own.used - coalesce(sum(drained.unused), 0) INTO v_own.used FROM drained;
        v_stripe.most := v_stripe.used;
        v_left := p_limit - v_own.used;
        -- Near the end small leases, so that the last of it does not travel from stripe to stripe.
        v_lease := least(greatest(p_need, v_left / 32), v_left);
        UPDATE incentives_counter counter
        SET redeemed = CASE p_currency WHEN '' THEN v_own.used ELSE 0 END,
            spent_minor = CASE p_currency WHEN '' THEN 0 ELSE v_own.used END
        WHERE counter.id = v_own.id;
        IF v_lease < p_need THEN
            RETURN false;
        END IF;
    END IF;
    UPDATE incentives_counter counter
    SET redeemed = counter.redeemed + CASE p_currency WHEN '' THEN v_lease ELSE 0 END,
        spent_minor = counter.spent_minor + CASE p_currency WHEN '' THEN 0 ELSE v_lease END, most = p_limit
    WHERE counter.id = v_own.id;
    UPDATE incentives_counter counter SET most = coalesce(counter.most, 0) + v_lease WHERE counter.id = v_stripe.id;
    RETURN true;
END $$;

-- The same for a checkout whose stripes lacked room: one counter after the other, each stripe with a lease first.
-- `p_chunks` says for stripes how much is leased at once.
CREATE FUNCTION count_with_leases_v1(
    p_incentives bigint[], p_scopes text[], p_subjects bigint[], p_periods text[], p_currencies text[],
    p_amounts bigint[], p_mosts bigint[], p_chunks bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR v_at IN 1 .. array_length(p_incentives, 1) LOOP
        IF p_chunks[v_at] IS NOT NULL
           AND NOT lease_v1(p_incentives[v_at], p_currencies[v_at], p_subjects[v_at], p_amounts[v_at],
                            p_chunks[v_at], p_mosts[v_at]) THEN
            RAISE EXCEPTION 'used up' USING ERRCODE = 'RR001';
        END IF;
        PERFORM count_v1(p_incentives[v_at:v_at], p_scopes[v_at:v_at], p_subjects[v_at:v_at], p_periods[v_at:v_at],
                         p_currencies[v_at:v_at], p_amounts[v_at:v_at], p_mosts[v_at:v_at]);
    END LOOP;
END $$;

-- Move counters down, in the same order, stopped or not.
CREATE FUNCTION count_back_v1(
    p_incentives bigint[], p_scopes text[], p_subjects bigint[], p_periods text[], p_currencies text[],
    p_amounts bigint[]
) RETURNS void LANGUAGE sql SET enable_seqscan TO off AS $$
    WITH held AS MATERIALIZED (
        SELECT counter.id, asked.amount
        FROM unnest(p_incentives, p_scopes, p_subjects, p_periods, p_currencies, p_amounts) WITH ORDINALITY
             AS asked (incentive_id, scope, subject_id, period, currency, amount, at)
        JOIN incentives_counter counter USING (incentive_id, scope, subject_id, period, currency)
        ORDER BY asked.at FOR NO KEY UPDATE OF counter
    )
    UPDATE incentives_counter counter
    SET redeemed = counter.redeemed - CASE counter.currency WHEN '' THEN held.amount ELSE 0 END,
        spent_minor = counter.spent_minor - CASE counter.currency WHEN '' THEN 0 ELSE held.amount END
    FROM held WHERE counter.id = held.id
$$;

-- One redemption or hold, whole or not at all: its public id, or NULL where `p_source` came before.
-- Everything that Python decided on is checked again under lock, in this order: source, codes by their ids, counters
-- in the order given (the persons' first, what all share later, the money last; `p_chunks` where stripes lacked room),
-- and last what rolling limits ask.
-- What does not hold any more is raised as RR001, so that the statement leaves nothing behind.
-- The uses are arrays, one place for each; `p_in_order` names the places with a code by rising code.
CREATE FUNCTION redeem_v2(
    p_now timestamptz, p_today date, p_source text, p_hash bytea, p_held_until timestamptz, p_customer bigint,
    p_persons bigint[], p_policy bigint, p_order text, p_currency text, p_discount bigint, p_base bigint, p_effects json,
    p_codes bigint[], p_versions bigint[], p_incentives bigint[], p_budgets bigint[],
    p_budget_versions bigint[], p_stripes bigint[],
    p_discounts bigint[], p_per_codes bigint[], p_are_public boolean[], p_are_rolling boolean[], p_in_order int[],
    p_counted bigint[], p_scopes text[], p_subjects bigint[], p_periods text[], p_currencies text[],
    p_amounts bigint[], p_mosts bigint[], p_chunks bigint[], p_rolling_keys bigint[], p_rolling jsonb
) RETURNS text LANGUAGE plpgsql SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    v_id bigint;
    v_public_id text;
    v_at int;
BEGIN
    INSERT INTO incentives_redemption AS redemption
           (source, request_hash, state, customer_id, persons, policy_id, order_reference, currency, discount_minor, base_minor,
            effects, held_until, redeemed_at)
    VALUES (p_source, p_hash, CASE WHEN p_held_until IS NULL THEN 'redeemed' ELSE 'held' END, p_customer, p_persons,
            p_policy, p_order, p_currency, p_discount, p_base, p_effects, p_held_until,
            CASE WHEN p_held_until IS NULL THEN p_now END)
    ON CONFLICT (source) DO NOTHING
    RETURNING redemption.id, redemption.public_id INTO v_id, v_public_id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;

    FOREACH v_at IN ARRAY p_in_order LOOP
        IF p_are_public[v_at] THEN
            PERFORM FROM incentives_code code
            WHERE code.id = p_codes[v_at] AND code.state = 'given' AND code.version_id = p_versions[v_at];
        ELSIF p_per_codes[v_at] = 1 THEN
            UPDATE incentives_code code SET state = 'redeemed'
            WHERE code.id = p_codes[v_at] AND code.state IN ('reserved', 'given')
              AND code.version_id = p_versions[v_at];
        ELSE
            PERFORM FROM incentives_code code
            WHERE code.id = p_codes[v_at] AND code.state IN ('reserved', 'given')
              AND code.version_id = p_versions[v_at]
            FOR NO KEY UPDATE;
        END IF;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'code' USING ERRCODE = 'RR001';
        END IF;
    END LOOP;

    INSERT INTO incentives_use
           (redemption_id, place, code_id, incentive_id, version_id, budget_id, budget_version_id, stripe,
            discount_minor, used_at, used_on, rolling_for)
    SELECT v_id, use.at - 1, use.code_id, use.incentive_id, use.version_id, use.budget_id, use.budget_version_id,
           use.stripe, use.discount, p_now, p_today, CASE WHEN use.is_rolling THEN p_rolling_keys END
    FROM unnest(p_codes, p_incentives, p_versions, p_budgets, p_budget_versions, p_stripes, p_discounts, p_are_rolling)
         WITH ORDINALITY
         AS use (code_id, incentive_id, version_id, budget_id, budget_version_id, stripe, discount, is_rolling, at);

    IF p_chunks IS NULL THEN
        PERFORM count_v1(p_counted, p_scopes, p_subjects, p_periods, p_currencies, p_amounts, p_mosts);
    ELSE
        PERFORM count_with_leases_v1(
            p_counted, p_scopes, p_subjects, p_periods, p_currencies, p_amounts, p_mosts, p_chunks);
    END IF;

    FOREACH v_at IN ARRAY p_in_order LOOP
        IF NOT p_are_public[v_at] AND p_per_codes[v_at] > 1 THEN
            UPDATE incentives_code code SET state = 'redeemed'
            FROM incentives_counter counter
            WHERE code.id = p_codes[v_at] AND counter.incentive_id = p_incentives[v_at] AND counter.scope = 'code'
              AND counter.subject_id = code.id AND counter.period = '' AND counter.currency = ''
              AND counter.redeemed >= p_per_codes[v_at];
        END IF;
    END LOOP;
    IF p_rolling IS NOT NULL THEN
        PERFORM FROM jsonb_to_recordset(p_rolling)
             AS asked (incentive bigint, scope text, subject bigint, since timestamptz, currency text, most bigint)
        WHERE rolling_used_v1(asked.incentive, asked.scope, asked.subject, p_rolling_keys, asked.since, asked.currency)
              > asked.most;
        IF FOUND THEN
            RAISE EXCEPTION 'rolling' USING ERRCODE = 'RR001';
        END IF;
    END IF;
    RETURN v_public_id;
END $$;

-- A hold is redeemed as it was held, unless it ran out or one of its offers was stopped meanwhile; its public id, or
-- NULL where it was not there any more. Its counters moved when it was made.
CREATE FUNCTION redeem_held_v1(
    p_now timestamptz, p_id bigint, p_source text, p_hash bytea, p_order text
) RETURNS text LANGUAGE plpgsql SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    v_public_id text;
    v_is_stopped boolean;
BEGIN
    UPDATE incentives_redemption redemption
    SET state = 'redeemed', redeemed_at = p_now, hold_source = redemption.source, source = p_source,
        request_hash = p_hash, order_reference = p_order, xid = pg_current_xact_id()
    WHERE redemption.id = p_id AND redemption.state = 'held' AND redemption.held_until > p_now
    RETURNING redemption.public_id INTO v_public_id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- Shared locks: a stop waits for this, or this sees the stop. All rows are locked before any is asked.
    WITH own AS MATERIALIZED (
        SELECT counter.is_stopped FROM incentives_counter counter
        WHERE counter.incentive_id IN (SELECT use.incentive_id FROM incentives_use use WHERE use.redemption_id = p_id)
          AND counter.scope = 'incentive' AND counter.subject_id = 0 AND counter.period = '' AND counter.currency = ''
        ORDER BY counter.incentive_id FOR SHARE
    )
    SELECT bool_or(own.is_stopped) INTO v_is_stopped FROM own;
    IF v_is_stopped THEN
        RAISE EXCEPTION 'stopped' USING ERRCODE = 'RR001';
    END IF;
    RETURN v_public_id;
END $$;

-- A limit begins where there was none: each stripe gets as lease what it used, counted in the incentive's own row too.
CREATE FUNCTION lease_all_v1(p_incentive bigint, p_currency text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_own bigint;
BEGIN
    INSERT INTO incentives_counter (incentive_id, scope, subject_id, period, currency, issued, redeemed, spent_minor,
                                    is_stopped)
    VALUES (p_incentive, 'incentive', 0, '', p_currency, 0, 0, 0, false)
    ON CONFLICT (incentive_id, scope, subject_id, period, currency) DO NOTHING;
    SELECT counter.id INTO v_own FROM incentives_counter counter
    WHERE counter.incentive_id = p_incentive AND counter.scope = 'incentive' AND counter.subject_id = 0
      AND counter.period = '' AND counter.currency = p_currency
    FOR NO KEY UPDATE;
    WITH others AS MATERIALIZED (
        SELECT counter.id FROM incentives_counter counter
        WHERE counter.incentive_id = p_incentive AND counter.scope = 'stripe' AND counter.period = ''
          AND counter.currency = p_currency AND counter.most IS NULL
        ORDER BY counter.subject_id FOR NO KEY UPDATE
    ), leased AS (
        UPDATE incentives_counter counter SET most = counter.redeemed + counter.spent_minor
        FROM others WHERE counter.id = others.id RETURNING counter.redeemed, counter.spent_minor
    )
    UPDATE incentives_counter counter
    SET redeemed = counter.redeemed + leased.redeemed, spent_minor = counter.spent_minor + leased.spent_minor
    FROM (SELECT coalesce(sum(redeemed), 0) AS redeemed, coalesce(sum(spent_minor), 0) AS spent_minor FROM leased)
         AS leased
    WHERE counter.id = v_own;
END $$;
