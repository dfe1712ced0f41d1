-- The hot path's read and write: everything a checkout decision needs, a redemption, and its roll-back.
--
-- A session keeps the plans of these functions from its first call, when a table may still be empty and reading all of
-- it looks cheap. Every statement in them finds single rows by an index, so each function is told to.

-- Everything that one decision about one code reads.
--
-- The person: by the shop's reference, our public id, or email; a merged one is who she became. She is also counted by
-- a keyed hash of her email, so that a guest who becomes a customer does not begin again.
-- The code: `p_code` as it was typed, or else `p_reading`, with look-alikes read as what they stand for.
CREATE FUNCTION checkout_facts_v1(
    p_code text, p_reading text, p_reference text, p_public_id uuid, p_email text, p_hash_key bytea,
    p_email_key bigint, p_skus text, p_currency text, p_order text, p_day date,
    OUT customer_id bigint, OUT email_key bigint, OUT orders bigint,
    OUT code_id bigint, OUT code text, OUT version_id bigint, OUT owner_id bigint, OUT is_public boolean,
    OUT state text, OUT starts_at timestamptz, OUT expires_at timestamptz, OUT terms json,
    OUT incentive_id bigint, OUT incentive_public_id text, OUT incentive_name text, OUT incentive_state text,
    OUT total_used bigint, OUT is_stopped boolean, OUT spent_minor bigint, OUT code_used bigint,
    OUT customer_used bigint, OUT email_used bigint,
    OUT products json, OUT base_currency text, OUT rate numeric
) LANGUAGE plpgsql STABLE SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    v_email text;
    v_grant bigint;
    v_text text;
BEGIN
    IF p_reference IS NOT NULL THEN
        SELECT coalesce(c.merged_into_id, c.id) INTO customer_id FROM customers_customer c WHERE c.reference = p_reference;
    END IF;
    IF customer_id IS NULL AND p_public_id IS NOT NULL THEN
        SELECT coalesce(c.merged_into_id, c.id) INTO customer_id FROM customers_customer c WHERE c.public_id = p_public_id;
    END IF;
    IF customer_id IS NULL AND p_email IS NOT NULL THEN
        SELECT c.id INTO customer_id FROM customers_customer c WHERE c.email_normal = p_email AND c.merged_into_id IS NULL;
    END IF;
    IF customer_id IS NOT NULL THEN
        SELECT c.email_normal INTO v_email FROM customers_customer c WHERE c.id = checkout_facts_v1.customer_id;
        SELECT count(*) INTO orders FROM customers_order o
        WHERE o.customer_id = checkout_facts_v1.customer_id
          AND o.state IN ('paid', 'fulfilled', 'partially_returned', 'returned')
          AND o.reference IS DISTINCT FROM p_order;
    END IF;
    email_key := p_email_key;
    IF v_email <> p_email OR p_email IS NULL AND v_email IS NOT NULL THEN
        email_key := substr(sha256(p_hash_key || convert_to(v_email, 'UTF8')), 1, 8)::bigint;
    END IF;

    FOREACH v_text IN ARRAY ARRAY[p_code, p_reading] LOOP
        SELECT c.id, c.code, c.version_id, c.customer_id, c.is_public, c.state, c.starts_at, c.expires_at, c.grant_id,
               c.incentive_id
        INTO code_id, code, version_id, owner_id, is_public, state, starts_at, expires_at, v_grant, incentive_id
        FROM incentives_code c WHERE c.code = v_text;
        EXIT WHEN FOUND;
    END LOOP;
    IF code_id IS NOT NULL THEN
        -- One lookup each: a join begins by making ready what it may not need, and is slower.
        IF v_grant IS NOT NULL THEN
            SELECT g.terms INTO terms FROM incentives_grant g WHERE g.id = v_grant;
        END IF;
        SELECT i.public_id, i.name, i.state INTO incentive_public_id, incentive_name, incentive_state
        FROM incentives_incentive i WHERE i.id = checkout_facts_v1.incentive_id;
        SELECT c.redeemed, c.is_stopped INTO total_used, is_stopped FROM incentives_counter c
        WHERE c.incentive_id = checkout_facts_v1.incentive_id AND c.scope = 'incentive' AND c.subject_id = 0
          AND c.currency = '';
        SELECT c.spent_minor INTO spent_minor FROM incentives_counter c
        WHERE c.incentive_id = checkout_facts_v1.incentive_id AND c.scope = 'incentive' AND c.subject_id = 0
          AND c.currency = p_currency;
        SELECT c.redeemed INTO code_used FROM incentives_counter c
        WHERE c.incentive_id = checkout_facts_v1.incentive_id AND c.scope = 'code'
          AND c.subject_id = checkout_facts_v1.code_id AND c.currency = '';
        IF customer_id IS NOT NULL THEN
            SELECT c.redeemed INTO customer_used FROM incentives_counter c
            WHERE c.incentive_id = checkout_facts_v1.incentive_id AND c.scope = 'customer'
              AND c.subject_id = checkout_facts_v1.customer_id AND c.currency = '';
        END IF;
        IF email_key IS NOT NULL THEN
            SELECT c.redeemed INTO email_used FROM incentives_counter c
            WHERE c.incentive_id = checkout_facts_v1.incentive_id AND c.scope = 'email'
              AND c.subject_id = checkout_facts_v1.email_key AND c.currency = '';
        END IF;
    END IF;

    -- No product number holds the separator: it is a control character.
    SELECT json_agg(json_build_array(p.sku, p.category, p.tags, p.minimum_price_minor, p.currency, p.is_low_margin))
    INTO products FROM customers_product p WHERE p.sku = ANY (string_to_array(p_skus, E'\x1f'));
    SELECT s.currency INTO base_currency FROM shop_shop s;
    IF base_currency = p_currency THEN
        rate := 1;
    ELSE
        SELECT r.rate INTO rate FROM shop_exchangerate r
        WHERE r.currency = p_currency AND r."on" <= p_day ORDER BY r."on" DESC LIMIT 1;
    END IF;
END $$;

-- One use more of a code or by a customer, unless its limit is reached; returns how many there are now.
CREATE FUNCTION redeem_count_v1(p_incentive bigint, p_scope text, p_subject bigint, p_limit bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_used bigint;
BEGIN
    INSERT INTO incentives_counter AS counter
           (incentive_id, scope, subject_id, currency, issued, redeemed, spent_minor, is_stopped)
    VALUES (p_incentive, p_scope, p_subject, '', 0, 1, 0, false)
    ON CONFLICT (incentive_id, scope, subject_id, currency) DO UPDATE SET redeemed = counter.redeemed + 1
    WHERE p_limit IS NULL OR counter.redeemed < p_limit
    RETURNING counter.redeemed INTO v_used;
    IF NOT FOUND THEN
        RAISE EXCEPTION '%', p_scope USING ERRCODE = 'RR001';
    END IF;
    RETURN v_used;
END $$;

-- One redemption, whole or not at all: its public id, or NULL where `p_source` came before.
-- Everything that Python decided on is checked again under lock, in this order: source, code, customer by email,
-- customer by number, the incentive's count and stop, and the money last. What does not hold any more is raised as
-- RR001, so that the statement leaves nothing behind, the redemption neither.
CREATE FUNCTION redeem_v1(
    p_now timestamptz, p_source text, p_hash bytea, p_code bigint, p_version bigint, p_incentive bigint,
    p_is_public boolean, p_customer bigint, p_email_key bigint, p_order text, p_currency text,
    p_discount bigint, p_base bigint, p_effects jsonb,
    p_per_code bigint, p_per_customer bigint, p_total bigint, p_budget bigint
) RETURNS text LANGUAGE plpgsql SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    v_public_id text;
    v_used bigint;
BEGIN
    INSERT INTO incentives_redemption AS redemption
           (source, request_hash, code_id, incentive_id, version_id, customer_id, email_key, order_reference, currency,
            discount_minor, base_minor, effects, redeemed_at, rollback_reason, is_use_given_back)
    VALUES (p_source, p_hash, p_code, p_incentive, p_version, p_customer, p_email_key, p_order, p_currency,
            p_discount, p_base, p_effects, p_now, '', false)
    ON CONFLICT (source) DO NOTHING
    RETURNING redemption.public_id INTO v_public_id;
    IF NOT FOUND THEN
        RETURN NULL;
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
        RAISE EXCEPTION 'code' USING ERRCODE = 'RR001';
    END IF;

    IF p_is_public AND p_per_code IS NOT NULL OR NOT p_is_public AND p_per_code > 1 THEN
        v_used := redeem_count_v1(p_incentive, 'code', p_code, p_per_code);
        IF NOT p_is_public AND v_used >= p_per_code THEN
            UPDATE incentives_code code SET state = 'redeemed' WHERE code.id = p_code;
        END IF;
    END IF;
    IF p_email_key IS NOT NULL THEN
        v_used := redeem_count_v1(p_incentive, 'email', p_email_key, p_per_customer);
    END IF;
    IF p_customer IS NOT NULL THEN
        v_used := redeem_count_v1(p_incentive, 'customer', p_customer, p_per_customer);
    END IF;

    UPDATE incentives_counter counter SET redeemed = counter.redeemed + 1
    WHERE counter.incentive_id = p_incentive AND counter.scope = 'incentive' AND counter.subject_id = 0
      AND counter.currency = '' AND NOT counter.is_stopped AND (p_total IS NULL OR counter.redeemed < p_total);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'total or stop' USING ERRCODE = 'RR001';
    END IF;

    IF p_discount > p_budget THEN
        RAISE EXCEPTION 'budget' USING ERRCODE = 'RR001';
    END IF;
    UPDATE incentives_counter counter SET spent_minor = counter.spent_minor + p_discount
    WHERE counter.incentive_id = p_incentive AND counter.scope = 'incentive' AND counter.subject_id = 0
      AND counter.currency = p_currency AND (p_budget IS NULL OR counter.spent_minor + p_discount <= p_budget);
    IF NOT FOUND THEN
        -- The first in this currency, or no budget left.
        INSERT INTO incentives_counter AS counter
               (incentive_id, scope, subject_id, currency, issued, redeemed, spent_minor, is_stopped)
        VALUES (p_incentive, 'incentive', 0, p_currency, 0, 0, p_discount, false)
        ON CONFLICT (incentive_id, scope, subject_id, currency)
        DO UPDATE SET spent_minor = counter.spent_minor + p_discount
        WHERE p_budget IS NULL OR counter.spent_minor + p_discount <= p_budget;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'budget' USING ERRCODE = 'RR001';
        END IF;
    END IF;
    RETURN v_public_id;
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
