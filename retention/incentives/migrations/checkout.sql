-- The hot path's read and write: everything a checkout decision needs, a redemption, and its roll-back.
--
-- A session keeps the plans of these functions from its first call, when a table may still be empty and reading all of
-- it looks cheap. Every statement in them finds single rows by an index, so each function is told to.

-- The person at a checkout: by the shop's reference, our public id, or email; a merged one is who she became.
-- A person is also counted by a keyed hash of her email, so that a guest who becomes a customer does not begin again.
CREATE FUNCTION checkout_person_v1(
    p_reference text, p_public_id uuid, p_email text, p_hash_key bytea, p_order text,
    OUT id bigint, OUT email_key bigint, OUT orders bigint
) LANGUAGE plpgsql STABLE SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    v_email text;
BEGIN
    IF p_reference IS NOT NULL THEN
        SELECT coalesce(c.merged_into_id, c.id) INTO id FROM customers_customer c WHERE c.reference = p_reference;
    END IF;
    IF id IS NULL AND p_public_id IS NOT NULL THEN
        SELECT coalesce(c.merged_into_id, c.id) INTO id FROM customers_customer c WHERE c.public_id = p_public_id;
    END IF;
    IF id IS NULL AND p_email IS NOT NULL THEN
        SELECT c.id INTO id FROM customers_customer c WHERE c.email_normal = p_email AND c.merged_into_id IS NULL;
    END IF;
    IF id IS NOT NULL THEN
        SELECT c.email_normal INTO v_email FROM customers_customer c WHERE c.id = checkout_person_v1.id;
        SELECT count(*) INTO orders FROM customers_order o
        WHERE o.customer_id = checkout_person_v1.id
          AND o.state IN ('paid', 'fulfilled', 'partially_returned', 'returned')
          AND o.reference IS DISTINCT FROM p_order;
    END IF;
    v_email := coalesce(v_email, p_email);
    IF v_email IS NOT NULL THEN
        email_key := ('x' || encode(substr(sha256(p_hash_key || convert_to(v_email, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint;
    END IF;
END $$;

-- Everything that one decision about one code reads, as JSON, in one round trip.
CREATE FUNCTION checkout_facts_v1(
    p_source text, p_readings text[], p_reference text, p_public_id uuid, p_email text, p_hash_key bytea,
    p_skus text[], p_currency text, p_order text, p_day date
) RETURNS json LANGUAGE plpgsql STABLE SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    v_existing json;
    v_person record;
    v_code record;
    v_counters json;
    v_products json;
    v_base text;
    v_rate numeric;
BEGIN
    IF p_source IS NOT NULL THEN
        SELECT row_to_json(r) INTO v_existing FROM (
            SELECT redemption.id, redemption.public_id, encode(redemption.request_hash, 'hex') AS request_hash,
                   redemption.effects, redemption.order_reference, redemption.redeemed_at, code.code,
                   incentive.public_id AS incentive_public_id, incentive.name AS incentive_name
            FROM incentives_redemption redemption
            JOIN incentives_code code ON code.id = redemption.code_id
            JOIN incentives_incentive incentive ON incentive.id = redemption.incentive_id
            WHERE redemption.source = p_source
        ) r;
        IF v_existing IS NOT NULL THEN
            RETURN json_build_object('existing', v_existing);
        END IF;
    END IF;
    SELECT * INTO v_person FROM checkout_person_v1(p_reference, p_public_id, p_email, p_hash_key, p_order);
    SELECT code.id, code.code, code.version_id, code.customer_id, code.is_public, code.state, code.starts_at,
           code.expires_at, code.given_at, code.incentive_id, incentive.public_id AS incentive_public_id,
           incentive.name AS incentive_name, incentive.state AS incentive_state, g.terms
    INTO v_code
    FROM unnest(p_readings) WITH ORDINALITY AS reading (code, place)
    JOIN incentives_code code ON code.code = reading.code
    JOIN incentives_incentive incentive ON incentive.id = code.incentive_id
    LEFT JOIN incentives_grant g ON g.id = code.grant_id
    ORDER BY reading.place LIMIT 1;
    IF v_code.id IS NOT NULL THEN
        -- One lookup each: joined to a list they would be found by the incentive alone, among all its customers.
        v_counters := json_build_object(
            'own', (
                SELECT json_build_array(redeemed, is_stopped) FROM incentives_counter
                WHERE incentive_id = v_code.incentive_id AND scope = 'incentive' AND subject_id = 0 AND currency = ''
            ),
            'spent', (
                SELECT spent_minor FROM incentives_counter
                WHERE incentive_id = v_code.incentive_id AND scope = 'incentive' AND subject_id = 0
                  AND currency = p_currency
            ),
            'code', (
                SELECT redeemed FROM incentives_counter
                WHERE incentive_id = v_code.incentive_id AND scope = 'code' AND subject_id = v_code.id AND currency = ''
            ),
            'customer', (
                SELECT redeemed FROM incentives_counter
                WHERE incentive_id = v_code.incentive_id AND scope = 'customer' AND subject_id = v_person.id
                  AND currency = ''
            ),
            'email', (
                SELECT redeemed FROM incentives_counter
                WHERE incentive_id = v_code.incentive_id AND scope = 'email' AND subject_id = v_person.email_key
                  AND currency = ''
            )
        );
    END IF;
    IF cardinality(p_skus) > 0 THEN
        SELECT json_agg(json_build_array(sku, category, tags, minimum_price_minor, currency, is_low_margin))
        INTO v_products FROM customers_product WHERE sku = ANY(p_skus);
    END IF;
    SELECT currency INTO v_base FROM shop_shop;
    IF v_base = p_currency THEN
        v_rate := 1;
    ELSE
        SELECT rate INTO v_rate FROM shop_exchangerate
        WHERE currency = p_currency AND "on" <= p_day ORDER BY "on" DESC LIMIT 1;
    END IF;
    RETURN json_build_object(
        'person', row_to_json(v_person),
        'code', CASE WHEN v_code.id IS NOT NULL THEN row_to_json(v_code) END,
        'counters', v_counters, 'products', v_products, 'base', v_base, 'rate', v_rate::text
    );
END $$;

-- One redemption, whole or not at all. Everything that Python decided on is checked again under lock, in this order:
-- source, code, customer by email, customer by number, the incentive's count and stop, and the money last.
-- Outcomes: redeemed, repeated; and those that changed nothing: code, code_limit, customer_limit, total_limit,
-- stopped, budget.
CREATE FUNCTION redeem_v1(
    p_now timestamptz, p_source text, p_hash bytea, p_code bigint, p_version bigint, p_incentive bigint,
    p_is_public boolean, p_customer bigint, p_email_key bigint, p_order text, p_currency text,
    p_discount bigint, p_base bigint, p_effects jsonb,
    p_per_code bigint, p_per_customer bigint, p_total bigint, p_budget bigint,
    OUT outcome text, OUT id bigint, OUT public_id uuid
) LANGUAGE plpgsql SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    v_used bigint := 1;
BEGIN
    INSERT INTO incentives_redemption AS redemption
           (source, request_hash, code_id, incentive_id, version_id, customer_id, email_key, order_reference, currency,
            discount_minor, base_minor, effects, redeemed_at, rollback_reason, is_use_given_back)
    VALUES (p_source, p_hash, p_code, p_incentive, p_version, p_customer, p_email_key, p_order, p_currency,
            p_discount, p_base, p_effects, p_now, '', false)
    ON CONFLICT (source) DO NOTHING
    RETURNING redemption.id, redemption.public_id INTO id, public_id;
    IF NOT FOUND THEN
        outcome := 'repeated';
        RETURN;
    END IF;

    IF p_is_public THEN
        PERFORM FROM incentives_code code
        WHERE code.id = p_code AND code.state = 'given' AND code.version_id = p_version;
    ELSIF p_per_code = 1 THEN
        UPDATE incentives_code code SET state = 'redeemed'
        WHERE code.id = p_code AND code.state IN ('reserved', 'given') AND code.version_id = p_version;
    ELSE
        PERFORM FROM incentives_code code
        WHERE code.id = p_code AND code.state IN ('reserved', 'given') AND code.version_id = p_version
        FOR NO KEY UPDATE;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'RR001', MESSAGE = 'code';
    END IF;

    IF p_is_public AND p_per_code IS NOT NULL OR NOT p_is_public AND p_per_code > 1 THEN
        INSERT INTO incentives_counter AS counter
               (incentive_id, scope, subject_id, currency, issued, redeemed, spent_minor, is_stopped)
        VALUES (p_incentive, 'code', p_code, '', 0, 1, 0, false)
        ON CONFLICT (incentive_id, scope, subject_id, currency) DO UPDATE SET redeemed = counter.redeemed + 1
        WHERE counter.redeemed < p_per_code
        RETURNING counter.redeemed INTO v_used;
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'RR001', MESSAGE = 'code_limit';
        END IF;
        IF NOT p_is_public AND v_used >= p_per_code THEN
            UPDATE incentives_code code SET state = 'redeemed' WHERE code.id = p_code;
        END IF;
    END IF;

    IF p_email_key IS NOT NULL THEN
        INSERT INTO incentives_counter AS counter
               (incentive_id, scope, subject_id, currency, issued, redeemed, spent_minor, is_stopped)
        VALUES (p_incentive, 'email', p_email_key, '', 0, 1, 0, false)
        ON CONFLICT (incentive_id, scope, subject_id, currency) DO UPDATE SET redeemed = counter.redeemed + 1
        WHERE p_per_customer IS NULL OR counter.redeemed < p_per_customer;
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'RR001', MESSAGE = 'customer_limit';
        END IF;
    END IF;
    IF p_customer IS NOT NULL THEN
        INSERT INTO incentives_counter AS counter
               (incentive_id, scope, subject_id, currency, issued, redeemed, spent_minor, is_stopped)
        VALUES (p_incentive, 'customer', p_customer, '', 0, 1, 0, false)
        ON CONFLICT (incentive_id, scope, subject_id, currency) DO UPDATE SET redeemed = counter.redeemed + 1
        WHERE p_per_customer IS NULL OR counter.redeemed < p_per_customer;
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'RR001', MESSAGE = 'customer_limit';
        END IF;
    END IF;

    UPDATE incentives_counter counter SET redeemed = counter.redeemed + 1
    WHERE counter.incentive_id = p_incentive AND counter.scope = 'incentive' AND counter.subject_id = 0
      AND counter.currency = '' AND NOT counter.is_stopped AND (p_total IS NULL OR counter.redeemed < p_total);
    IF NOT FOUND THEN
        PERFORM FROM incentives_counter counter
        WHERE counter.incentive_id = p_incentive AND counter.scope = 'incentive' AND counter.subject_id = 0
          AND counter.currency = '' AND counter.is_stopped;
        RAISE EXCEPTION USING ERRCODE = 'RR001', MESSAGE = CASE WHEN FOUND THEN 'stopped' ELSE 'total_limit' END;
    END IF;

    IF p_discount > p_budget THEN
        RAISE EXCEPTION USING ERRCODE = 'RR001', MESSAGE = 'budget';
    END IF;
    INSERT INTO incentives_counter AS counter
           (incentive_id, scope, subject_id, currency, issued, redeemed, spent_minor, is_stopped)
    VALUES (p_incentive, 'incentive', 0, p_currency, 0, 0, p_discount, false)
    ON CONFLICT (incentive_id, scope, subject_id, currency) DO UPDATE SET spent_minor = counter.spent_minor + p_discount
    WHERE p_budget IS NULL OR counter.spent_minor + p_discount <= p_budget;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'RR001', MESSAGE = 'budget';
    END IF;
    outcome := 'redeemed';
EXCEPTION WHEN SQLSTATE 'RR001' THEN
    -- Undone to the last row, the redemption too: a refusal leaves nothing behind.
    outcome := SQLERRM;
    id := NULL;
    public_id := NULL;
END $$;

-- Undo one redemption whole: the money always comes back, the use only where `p_is_usable_again`.
-- Outcomes: rolled_back, repeated, already, unknown.
CREATE FUNCTION roll_back_v1(
    p_now timestamptz, p_public_id uuid, p_source text, p_reason text, p_is_usable_again boolean,
    OUT outcome text
) LANGUAGE plpgsql SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    v record;
BEGIN
    SELECT redemption.*, code.is_public INTO v
    FROM incentives_redemption redemption JOIN incentives_code code ON code.id = redemption.code_id
    WHERE redemption.public_id = p_public_id FOR NO KEY UPDATE OF redemption;
    IF NOT FOUND THEN
        outcome := 'unknown';
        RETURN;
    END IF;
    IF v.rolled_back_at IS NOT NULL THEN
        outcome := CASE WHEN v.rollback_source = p_source THEN 'repeated' ELSE 'already' END;
        RETURN;
    END IF;
    UPDATE incentives_redemption redemption
    SET rolled_back_at = p_now, rollback_source = p_source, rollback_reason = p_reason,
        is_use_given_back = p_is_usable_again, xid = pg_current_xact_id()
    WHERE redemption.id = v.id;
    IF p_is_usable_again THEN
        UPDATE incentives_code code SET state = CASE WHEN code.given_at IS NULL THEN 'reserved' ELSE 'given' END
        WHERE code.id = v.code_id AND code.state = 'redeemed';
        UPDATE incentives_counter counter SET redeemed = counter.redeemed - 1
        WHERE counter.incentive_id = v.incentive_id AND counter.scope = 'code' AND counter.subject_id = v.code_id
          AND counter.currency = '';
        UPDATE incentives_counter counter SET redeemed = counter.redeemed - 1
        WHERE counter.incentive_id = v.incentive_id AND counter.scope = 'email' AND counter.subject_id = v.email_key
          AND counter.currency = '';
        UPDATE incentives_counter counter SET redeemed = counter.redeemed - 1
        WHERE counter.incentive_id = v.incentive_id AND counter.scope = 'customer' AND counter.subject_id = v.customer_id
          AND counter.currency = '';
        UPDATE incentives_counter counter SET redeemed = counter.redeemed - 1
        WHERE counter.incentive_id = v.incentive_id AND counter.scope = 'incentive' AND counter.subject_id = 0
          AND counter.currency = '';
    END IF;
    UPDATE incentives_counter counter SET spent_minor = counter.spent_minor - v.discount_minor
    WHERE counter.incentive_id = v.incentive_id AND counter.scope = 'incentive' AND counter.subject_id = 0
      AND counter.currency = v.currency;
    outcome := 'rolled_back';
END $$;
