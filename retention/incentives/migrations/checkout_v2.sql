-- Everything that one decision about one code reads, as JSON, in one round trip.
CREATE FUNCTION checkout_facts_v2(
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
