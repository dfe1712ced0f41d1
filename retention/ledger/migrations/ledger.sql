-- How value moves. Every function locks guarded accounts first, by their number, and the shop's cells last.
--
-- A session keeps the plans of these functions from its first call, when a table may still be empty; so each is told to
-- look by index (see the checkout's functions).

-- Both sides of an entry are accounts in its unit.
ALTER TABLE ledger_entry
    ADD CONSTRAINT entry_giver_in_unit FOREIGN KEY (from_account_id, unit_id) REFERENCES ledger_account (id, unit_id),
    ADD CONSTRAINT entry_taker_in_unit FOREIGN KEY (to_account_id, unit_id) REFERENCES ledger_account (id, unit_id);
-- Balances and lots are updated all day: room on their pages lets PostgreSQL do it in place.
ALTER TABLE ledger_account SET (fillfactor = 70);
ALTER TABLE ledger_lot SET (fillfactor = 80);
ALTER TABLE ledger_cell SET (fillfactor = 50);

-- One transfer that is asked for.
-- `lot_of`: the entry whose lot is taken first; with `policy` "lot" it alone. `policy` "balance": what is spendable, and
-- no hold is touched; "negative": everything, and the rest is owed where the account may be negative.
-- `is_partial`: less will do.
CREATE TYPE ledger_wish_v1 AS (
    n int, source text, from_id bigint, to_id bigint, amount bigint, verb text, reason text, origin text,
    origin_id bigint, effective_at timestamptz, active_at timestamptz, pending_event text, expires_at timestamptz,
    reverses_id bigint, draw_id bigint, lot_of bigint, hold_id bigint, policy text, is_partial boolean
);

-- What may be spent of an account: active lots that have not expired, without what is held.
-- Holds that have run out count until they are released; whoever is short releases them first.
CREATE FUNCTION ledger_available_v1(p_account bigint, p_now timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT greatest(0, coalesce((
        SELECT sum(lot.remaining) FROM ledger_lot lot
        WHERE lot.account_id = account.id AND lot.remaining > 0 AND lot.active_at <= p_now
          AND (lot.expires_at IS NULL OR lot.expires_at > p_now)), 0) - account.held)
    FROM ledger_account account WHERE account.id = p_account
$$;

-- Open holds among these become free again; returns how many.
CREATE FUNCTION ledger_release_v1(p_now timestamptz, p_holds bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    PERFORM FROM ledger_account account
    WHERE account.id IN (SELECT hold.account_id FROM ledger_hold hold WHERE hold.id = ANY (p_holds))
    ORDER BY account.id FOR NO KEY UPDATE;
    WITH released AS (
        UPDATE ledger_hold hold SET state = 'released', ended_at = p_now
        WHERE hold.id = ANY (p_holds) AND hold.state = 'open'
        RETURNING hold.account_id, hold.amount
    ), freed AS (
        UPDATE ledger_account account SET held = account.held - each.amount
        FROM (SELECT account_id, sum(amount) AS amount FROM released GROUP BY account_id) each
        WHERE account.id = each.account_id
    )
    SELECT count(*) INTO v_count FROM released;
    RETURN v_count;
END $$;

-- The holds of one account that have run out; the caller holds its lock.
CREATE FUNCTION ledger_release_run_out_v1(p_now timestamptz, p_account bigint) RETURNS void LANGUAGE sql AS $$
    SELECT ledger_release_v1(p_now, array_agg(hold.id)) FROM ledger_hold hold
    WHERE hold.account_id = p_account AND hold.state = 'open' AND hold.expires_at <= p_now
    HAVING count(*) > 0
$$;

-- Set an amount of an account aside. Outcomes: done, repeated, source_reused, frozen, short.
CREATE FUNCTION ledger_hold_v1(
    p_now timestamptz, p_account bigint, p_amount bigint, p_source text, p_origin text, p_origin_id bigint,
    p_expires_at timestamptz, OUT hold_id bigint, OUT outcome text, OUT available bigint
) LANGUAGE plpgsql SET enable_seqscan TO off AS $$
DECLARE
    v_account ledger_account;
    v_hold ledger_hold;
BEGIN
    SELECT * INTO v_account FROM ledger_account account WHERE account.id = p_account FOR NO KEY UPDATE;
    SELECT * INTO v_hold FROM ledger_hold hold WHERE hold.source = p_source;
    IF FOUND THEN
        hold_id := v_hold.id;
        outcome := CASE WHEN v_hold.account_id = p_account AND v_hold.amount = p_amount THEN 'repeated'
                        ELSE 'source_reused' END;
        RETURN;
    END IF;
    IF v_account.held > 0 THEN
        PERFORM ledger_release_run_out_v1(p_now, p_account);
    END IF;
    available := ledger_available_v1(p_account, p_now);
    IF v_account.is_frozen OR available < p_amount THEN
        outcome := CASE WHEN v_account.is_frozen THEN 'frozen' ELSE 'short' END;
        RETURN;
    END IF;
    INSERT INTO ledger_hold AS hold
           (account_id, amount, captured, state, source, origin, origin_id, placed_at, expires_at)
    VALUES (p_account, p_amount, 0, 'open', p_source, p_origin, p_origin_id, p_now, p_expires_at)
    RETURNING hold.id INTO hold_id;
    UPDATE ledger_account account SET held = account.held + p_amount WHERE account.id = p_account;
    outcome := 'done';
END $$;

-- Bring what an entry moved to a guarded account there: a lot, and the balance. What was owed is settled first.
CREATE FUNCTION ledger_credit_v1(
    p_entry bigint, p_account bigint, p_amount bigint, p_active_at timestamptz, p_event text, p_expires_at timestamptz,
    p_draw bigint
) RETURNS void LANGUAGE plpgsql SET enable_seqscan TO off AS $$
DECLARE
    v_owed bigint;
    v_lot bigint;
BEGIN
    UPDATE ledger_account account SET balance = account.balance + p_amount WHERE account.id = p_account
    RETURNING least(p_amount, greatest(0, -old.balance)) INTO v_owed;
    INSERT INTO ledger_lot AS lot
           (account_id, entry_id, amount, remaining, active_at, pending_event, expires_at, draw_id)
    VALUES (p_account, p_entry, p_amount, p_amount - v_owed, p_active_at, p_event, p_expires_at, p_draw)
    RETURNING lot.id INTO v_lot;
    IF v_owed > 0 THEN
        INSERT INTO ledger_draw (entry_id, lot_id, amount) VALUES (p_entry, v_lot, v_owed);
    END IF;
END $$;

-- What a day's entries did to the shop's own accounts.
CREATE FUNCTION ledger_count_v1(p_day date, p_entries bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO ledger_cell AS cell (account_id, day, stripe, credited, debited)
    SELECT side.account_id, p_day, side.stripe, sum(side.credited), sum(side.debited)
    FROM unnest(p_entries) made (id)
    JOIN ledger_entry entry ON entry.id = made.id
    CROSS JOIN LATERAL (
        VALUES (entry.from_account_id, entry.to_account_id % 16, 0, entry.amount),
               (entry.to_account_id, entry.from_account_id % 16, entry.amount, 0)
    ) side (account_id, stripe, credited, debited)
    -- They are few, and looked up in memory.
    WHERE side.account_id IN (SELECT account.id FROM ledger_account account WHERE NOT account.purpose = '' OFFSET 0)
    GROUP BY side.account_id, side.stripe
    ORDER BY side.account_id, side.stripe
    ON CONFLICT (account_id, day, stripe)
    DO UPDATE SET credited = cell.credited + excluded.credited, debited = cell.debited + excluded.debited
$$;

-- Take an amount out of a guarded account's lots for an entry: `p_lot_of`'s lot first, then what expires next.
-- `p_seen`: lots that had not expired then may be taken. `p_policy`: see ledger_wish_v1; under "negative" also lots that
-- wait or have expired, last of all.
CREATE FUNCTION ledger_draw_v1(
    p_now timestamptz, p_seen timestamptz, p_entry bigint, p_account bigint, p_amount bigint, p_lot_of bigint,
    p_policy text
) RETURNS void LANGUAGE sql AS $$
    WITH lots AS (
        SELECT lot.id, lot.remaining, lot.expires_at, lot.entry_id IS NOT DISTINCT FROM p_lot_of AS is_first,
               coalesce(lot.active_at <= p_now AND (lot.expires_at IS NULL OR lot.expires_at > p_seen), false) AS is_open
        FROM ledger_lot lot WHERE lot.account_id = p_account AND lot.remaining > 0
    ), line AS (
        SELECT lots.id, lots.remaining, sum(lots.remaining) OVER (
            ORDER BY lots.is_first DESC, lots.is_open DESC, lots.expires_at NULLS LAST, lots.id
        ) - lots.remaining AS before
        FROM lots
        WHERE lots.is_first OR p_policy = 'balance' AND lots.is_open OR p_policy = 'negative'
    ), taken AS (
        UPDATE ledger_lot lot SET remaining = lot.remaining - least(line.remaining, p_amount - line.before)
        FROM line WHERE lot.id = line.id AND line.before < p_amount
        RETURNING lot.id, old.remaining - new.remaining AS amount
    )
    INSERT INTO ledger_draw (entry_id, lot_id, amount) SELECT p_entry, taken.id, taken.amount FROM taken
$$;

-- The accounts of customers in units, pair by pair; opened where there was none.
CREATE FUNCTION ledger_accounts_v1(p_now timestamptz, p_units bigint[], p_customers bigint[])
RETURNS bigint[] LANGUAGE plpgsql SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    v_accounts bigint[];
BEGIN
    FOR tries IN 1..3 LOOP
        SELECT coalesce(array_agg(account.id ORDER BY pair.place), '{}') INTO v_accounts
        FROM unnest(p_units, p_customers) WITH ORDINALITY AS pair (unit_id, customer_id, place)
        JOIN ledger_account account ON account.customer_id = pair.customer_id AND account.unit_id = pair.unit_id;
        IF cardinality(v_accounts) = cardinality(p_customers) THEN
            RETURN v_accounts;
        END IF;
        INSERT INTO ledger_account AS account (unit_id, kind, customer_id, purpose, origin, balance, held,
               may_be_negative, is_frozen, opened_at)
        SELECT DISTINCT unit.id, 'customer', pair.customer_id, '', '', 0, 0, unit.may_be_negative, false, p_now
        FROM unnest(p_units, p_customers) AS pair (unit_id, customer_id) JOIN ledger_unit unit ON unit.id = pair.unit_id
        ORDER BY pair.customer_id, unit.id
        ON CONFLICT (customer_id, unit_id) DO NOTHING;
    END LOOP;
    RAISE EXCEPTION 'there are accounts that cannot be opened';
END $$;

-- Value out of the shop's own accounts, as one set of columns of one length: an entry each, and each guarded account's
-- lot and balance. A column that is NULL says nothing of anybody; `p_draws` are the draws that are given back.
-- Returns the entries; a source that was there before makes none. They are yet to be counted (`ledger_count_v1`).
CREATE FUNCTION ledger_issue_v1(
    p_now timestamptz, p_by text, p_sources text[], p_units bigint[], p_from bigint[], p_to bigint[],
    p_amounts bigint[], p_verbs text[], p_origins text[], p_origin_ids bigint[], p_active_at timestamptz[],
    p_events text[], p_expires_at timestamptz[], p_reasons text[], p_effective_at timestamptz[], p_reverses bigint[],
    p_draws bigint[]
) RETURNS bigint[] LANGUAGE plpgsql SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    -- Numbers are drawn beforehand, so that rows of one table need not look for theirs in another.
    v_ids bigint[] := ARRAY(SELECT nextval('ledger_entry_id_seq') FROM generate_series(1, cardinality(p_sources)));
    v_shops bigint[] := ARRAY(SELECT account.id FROM ledger_account account WHERE NOT account.purpose = '');
    v_owed bigint[];
    v_count bigint;
    v_is_owed boolean;
    v_is_whole boolean;
BEGIN
    SELECT bool_or(hers.balance < 0) INTO v_is_owed FROM (
        SELECT account.balance FROM ledger_account account
        WHERE account.id = ANY (p_to) AND account.kind <> 'system' ORDER BY account.id FOR NO KEY UPDATE) hers;
    INSERT INTO ledger_entry
           (id, unit_id, from_account_id, to_account_id, amount, source, verb, reason, reverses_id, origin, origin_id,
            effective_at, recorded_at, by)
    SELECT wish.id, wish.unit_id, wish.from_id, wish.to_id, wish.amount, wish.source, wish.verb,
           coalesce(wish.reason, ''), wish.reverses_id, coalesce(wish.origin, ''), wish.origin_id,
           coalesce(wish.effective_at, p_now), p_now, p_by
    FROM unnest(v_ids, p_units, p_from, p_to, p_amounts, p_sources, p_verbs, p_reasons, p_reverses, p_origins,
                p_origin_ids, p_effective_at)
         AS wish (id, unit_id, from_id, to_id, amount, source, verb, reason, reverses_id, origin, origin_id,
                  effective_at)
    ON CONFLICT (source) DO NOTHING;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_is_whole := v_count = cardinality(v_ids);
    IF v_is_owed THEN
        -- What was owed is settled first, in the order in which it comes.
        SELECT array_agg(greatest(0, least(part.amount, -part.balance - (part.upto - part.amount))) ORDER BY part.place)
        INTO v_owed FROM (
            SELECT account.balance, wish.place, entry.amount,
                   sum(entry.amount) OVER (PARTITION BY account.id ORDER BY wish.place) AS upto
            FROM unnest(v_ids, p_to) WITH ORDINALITY AS wish (id, to_id, place)
            LEFT JOIN ledger_entry entry ON entry.id = wish.id
            LEFT JOIN ledger_account account ON account.id = wish.to_id AND account.kind <> 'system') part;
    END IF;
    INSERT INTO ledger_lot (account_id, entry_id, amount, remaining, active_at, pending_event, expires_at, draw_id)
    SELECT wish.to_id, wish.id, wish.amount, wish.amount - coalesce(wish.owed, 0), wish.active_at,
           coalesce(wish.pending_event, ''), wish.expires_at, wish.draw_id
    FROM unnest(v_ids, p_to, p_amounts, v_owed, p_active_at, p_events, p_expires_at, p_draws)
         AS wish (id, to_id, amount, owed, active_at, pending_event, expires_at, draw_id)
    WHERE wish.to_id <> ALL (v_shops)
      AND (v_is_whole OR EXISTS (SELECT FROM ledger_entry entry WHERE entry.id = wish.id));
    IF v_is_owed THEN
        INSERT INTO ledger_draw (entry_id, lot_id, amount)
        SELECT lot.entry_id, lot.id, lot.amount - lot.remaining
        FROM ledger_lot lot WHERE lot.entry_id = ANY (v_ids) AND lot.remaining < lot.amount;
    END IF;
    UPDATE ledger_account account SET balance = account.balance + each.amount
    FROM (
        SELECT wish.to_id, sum(wish.amount) AS amount FROM unnest(v_ids, p_to, p_amounts) AS wish (id, to_id, amount)
        WHERE wish.to_id <> ALL (v_shops)
          AND (v_is_whole OR EXISTS (SELECT FROM ledger_entry entry WHERE entry.id = wish.id))
        GROUP BY wish.to_id) each
    WHERE account.id = each.to_id;
    RETURN CASE WHEN v_is_whole THEN v_ids
                ELSE ARRAY(SELECT entry.id FROM ledger_entry entry WHERE entry.id = ANY (v_ids)) END;
END $$;

-- Up to 5,000 transfers, each whole or refused; whoever asks with a source again gets the entry it made.
-- Outcomes: done, repeated, source_reused, frozen, short, over_reversed, hold_gone; `moved` is the entry's amount, or of
-- a refusal what could have been had. From the shop's own accounts they go as one set (`ledger_issue_v1`); from others
-- one by one, in their order, because each may leave less for the next.
CREATE FUNCTION ledger_transfer_v1(p_now timestamptz, p_day date, p_by text, p_wishes jsonb)
RETURNS TABLE (wish_n int, entry bigint, outcome text, moved bigint)
LANGUAGE plpgsql SET enable_seqscan TO off SET plan_cache_mode TO force_generic_plan AS $$
DECLARE
    v_wishes ledger_wish_v1[];
    v_made bigint[];
    v_wish record;
    v_account ledger_account;
    v_hold ledger_hold;
    v_policy text;
    v_seen timestamptz;
    v_amount bigint;
    v_capacity bigint;
    v_first bigint;
    v_left bigint;
    v_entry bigint;
BEGIN
    SELECT array_agg(each ORDER BY each.n) INTO v_wishes
    FROM jsonb_populate_recordset(NULL::ledger_wish_v1, p_wishes) each;
    PERFORM FROM ledger_account account
    WHERE account.kind <> 'system' AND account.id IN (
        SELECT each.from_id FROM unnest(v_wishes) each UNION SELECT each.to_id FROM unnest(v_wishes) each)
    ORDER BY account.id FOR NO KEY UPDATE;

    SELECT ledger_issue_v1(
        p_now, p_by, array_agg(each.source), array_agg(each.unit_id), array_agg(each.from_id), array_agg(each.to_id),
        array_agg(each.amount), array_agg(each.verb), array_agg(each.origin), array_agg(each.origin_id),
        array_agg(each.active_at), array_agg(each.pending_event), array_agg(each.expires_at), array_agg(each.reason),
        array_agg(each.effective_at), array_agg(each.reverses_id), array_agg(each.draw_id))
    INTO v_made
    FROM (
        SELECT wish.*, giver.unit_id
        FROM unnest(v_wishes) wish
        JOIN ledger_account giver ON giver.id = wish.from_id AND giver.kind = 'system'
        -- Two calls with the same sources wait for each other, and never in a circle.
        ORDER BY wish.source) each
    HAVING count(*) > 0;
    v_made := coalesce(v_made, '{}');

    FOR v_wish IN
        SELECT each.*, taker.kind <> 'system' AS is_guarded
        FROM unnest(v_wishes) each
        JOIN ledger_account giver ON giver.id = each.from_id AND giver.kind <> 'system'
        JOIN ledger_account taker ON taker.id = each.to_id
        ORDER BY each.n
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM ledger_entry entry WHERE entry.source = v_wish.source);
        SELECT * INTO v_account FROM ledger_account account WHERE account.id = v_wish.from_id;
        IF v_account.held > 0 THEN
            PERFORM ledger_release_run_out_v1(p_now, v_account.id);
            SELECT * INTO v_account FROM ledger_account account WHERE account.id = v_wish.from_id;
        END IF;
        v_amount := v_wish.amount;
        v_seen := p_now;
        v_policy := coalesce(v_wish.policy, 'balance');
        IF v_policy = 'negative' AND NOT v_account.may_be_negative THEN
            v_policy := 'balance';
        END IF;
        IF v_account.is_frozen AND v_wish.verb IN ('spend', 'transfer', 'pay_out') THEN
            wish_n := v_wish.n; outcome := 'frozen'; moved := 0;
            RETURN NEXT;
            CONTINUE;
        END IF;
        IF v_wish.reverses_id IS NOT NULL THEN
            SELECT entry.amount - coalesce((
                SELECT sum(undone.amount) FROM ledger_entry undone WHERE undone.reverses_id = entry.id), 0)
            INTO v_left FROM ledger_entry entry WHERE entry.id = v_wish.reverses_id;
            IF v_amount > v_left AND NOT coalesce(v_wish.is_partial, false) THEN
                wish_n := v_wish.n; outcome := 'over_reversed'; moved := v_left;
                RETURN NEXT;
                CONTINUE;
            END IF;
            v_amount := least(v_amount, v_left);
        END IF;
        IF v_wish.hold_id IS NOT NULL THEN
            UPDATE ledger_hold hold SET state = 'captured', captured = v_amount, ended_at = p_now
            WHERE hold.id = v_wish.hold_id AND hold.account_id = v_account.id AND hold.state = 'open'
              AND hold.amount >= v_amount AND hold.expires_at > p_now
            RETURNING hold.* INTO v_hold;
            IF NOT FOUND THEN
                wish_n := v_wish.n; outcome := 'hold_gone'; moved := 0;
                RETURN NEXT;
                CONTINUE;
            END IF;
            UPDATE ledger_account account SET held = account.held - v_hold.amount WHERE account.id = v_account.id;
            v_account.held := v_account.held - v_hold.amount;
            -- What it set aside stays, though it has expired since.
            v_seen := least(p_now, v_hold.placed_at);
        END IF;
        SELECT coalesce(sum(lot.remaining) FILTER (WHERE lot.entry_id = v_wish.lot_of), 0),
               coalesce(sum(lot.remaining) FILTER (
                   WHERE lot.entry_id IS DISTINCT FROM v_wish.lot_of AND lot.active_at <= p_now
                     AND (lot.expires_at IS NULL OR lot.expires_at > v_seen)), 0)
        INTO v_first, v_capacity
        FROM ledger_lot lot WHERE lot.account_id = v_account.id AND lot.remaining > 0;
        IF v_policy = 'negative' THEN
            v_capacity := v_amount;
        ELSIF v_policy = 'lot' THEN
            v_capacity := least(v_first, v_account.balance - v_account.held);
        ELSIF v_first > 0 THEN
            v_capacity := least(v_first + v_capacity, v_account.balance - v_account.held);
        ELSE
            v_capacity := v_capacity - v_account.held;
        END IF;
        v_capacity := greatest(0, v_capacity);
        IF coalesce(v_wish.is_partial, false) THEN
            v_amount := least(v_amount, v_capacity);
        END IF;
        IF v_amount > v_capacity OR v_amount <= 0 THEN
            IF v_wish.hold_id IS NOT NULL THEN
                RAISE EXCEPTION 'hold % covers more than its account has', v_wish.hold_id;
            END IF;
            wish_n := v_wish.n; outcome := 'short'; moved := v_capacity;
            RETURN NEXT;
            CONTINUE;
        END IF;
        INSERT INTO ledger_entry AS entry
               (unit_id, from_account_id, to_account_id, amount, source, verb, reason, reverses_id, origin, origin_id,
                effective_at, recorded_at, by)
        VALUES (v_account.unit_id, v_account.id, v_wish.to_id, v_amount, v_wish.source, v_wish.verb,
                coalesce(v_wish.reason, ''), v_wish.reverses_id, coalesce(v_wish.origin, ''), v_wish.origin_id,
                coalesce(v_wish.effective_at, p_now), p_now, p_by)
        ON CONFLICT (source) DO NOTHING
        RETURNING entry.id INTO v_entry;
        CONTINUE WHEN v_entry IS NULL;
        PERFORM ledger_draw_v1(p_now, v_seen, v_entry, v_account.id, v_amount, v_wish.lot_of, v_policy);
        UPDATE ledger_account account SET balance = account.balance - v_amount WHERE account.id = v_account.id;
        IF v_wish.is_guarded THEN
            PERFORM ledger_credit_v1(v_entry, v_wish.to_id, v_amount, v_wish.active_at,
                                     coalesce(v_wish.pending_event, ''), v_wish.expires_at, v_wish.draw_id);
        END IF;
        v_made := v_made || v_entry;
    END LOOP;

    PERFORM ledger_count_v1(p_day, v_made);
    RETURN QUERY
    SELECT each.n, entry.id,
           CASE WHEN entry.id IN (SELECT made.id FROM unnest(v_made) made (id)) THEN 'done'
                WHEN (entry.from_account_id, entry.to_account_id, entry.verb) = (each.from_id, each.to_id, each.verb)
                     AND (entry.amount = each.amount OR each.is_partial) THEN 'repeated'
                ELSE 'source_reused' END,
           entry.amount
    FROM unnest(v_wishes) each
    JOIN ledger_entry entry ON entry.source = each.source;
END $$;

-- Give back, whole or in part, what an entry took out of a guarded account: to the same account (a merged customer's to
-- her survivor's), the last drawn first, each part with the end it had, but at least until `p_least`.
-- Each part is an entry of its own, `p_source` with its number. Outcomes: done, repeated, over_reversed.
CREATE FUNCTION ledger_give_back_v1(
    p_now timestamptz, p_day date, p_by text, p_entry bigint, p_amount bigint, p_source text, p_reason text,
    p_origin text, p_origin_id bigint, p_least timestamptz, OUT outcome text, OUT moved bigint
) LANGUAGE plpgsql SET enable_seqscan TO off AS $$
DECLARE
    v_entry ledger_entry;
    v_to bigint;
    v_wishes jsonb;
BEGIN
    SELECT * INTO v_entry FROM ledger_entry entry WHERE entry.id = p_entry;
    PERFORM FROM ledger_account account WHERE account.id = v_entry.from_account_id FOR NO KEY UPDATE;
    SELECT sum(entry.amount) INTO moved FROM ledger_entry entry
    WHERE entry.reverses_id = p_entry AND starts_with(entry.source, p_source || ':');
    IF moved IS NOT NULL THEN
        outcome := CASE WHEN moved = p_amount THEN 'repeated' ELSE 'source_reused' END;
        RETURN;
    END IF;
    SELECT v_entry.amount - coalesce(sum(entry.amount), 0) INTO moved FROM ledger_entry entry
    WHERE entry.reverses_id = p_entry;
    IF p_amount > moved THEN
        outcome := 'over_reversed';
        RETURN;
    END IF;
    SELECT coalesce(hers.id, account.id) INTO v_to
    FROM ledger_account account
    LEFT JOIN customers_customer customer ON customer.id = account.customer_id
    LEFT JOIN ledger_account hers ON hers.customer_id = customer.merged_into_id AND hers.unit_id = account.unit_id
    WHERE account.id = v_entry.from_account_id;

    WITH drawn AS (
        SELECT draw.id, lot.expires_at, lot.id AS lot_id, draw.amount - coalesce((
            SELECT sum(restored.amount) FROM ledger_lot restored WHERE restored.draw_id = draw.id), 0) AS amount
        FROM ledger_draw draw JOIN ledger_lot lot ON lot.id = draw.lot_id WHERE draw.entry_id = p_entry
    ), line AS (
        SELECT drawn.*, sum(drawn.amount) OVER (ORDER BY drawn.expires_at DESC NULLS FIRST, drawn.lot_id DESC)
                        - drawn.amount AS before
        FROM drawn WHERE drawn.amount > 0
    ), part AS (
        SELECT line.id AS draw_id, least(line.amount, p_amount - line.before) AS amount,
               CASE WHEN line.expires_at IS NOT NULL THEN greatest(line.expires_at, p_least) END AS expires_at,
               line.before
        FROM line WHERE line.before < p_amount
        UNION ALL
        -- What had been owed was drawn from no lot.
        SELECT NULL, p_amount - coalesce(sum(line.amount), 0), NULL, NULL FROM line
        HAVING p_amount > coalesce(sum(line.amount), 0)
    ), numbered AS (
        SELECT part.*, row_number() OVER (ORDER BY part.before NULLS LAST) AS n FROM part
    )
    SELECT jsonb_agg(jsonb_build_object(
        'n', n, 'source', p_source || ':' || n, 'from_id', v_entry.to_account_id, 'to_id', v_to, 'amount', amount,
        'verb', 'give_back', 'reason', p_reason, 'origin', p_origin, 'origin_id', p_origin_id, 'active_at', p_now,
        'expires_at', expires_at, 'reverses_id', p_entry, 'draw_id', draw_id))
    INTO v_wishes FROM numbered;
    SELECT sum(made.moved) INTO moved FROM ledger_transfer_v1(p_now, p_day, p_by, v_wishes) made
    WHERE made.outcome = 'done';
    IF moved IS DISTINCT FROM p_amount THEN
        RAISE EXCEPTION 'gave back % instead of %', moved, p_amount;
    END IF;
    outcome := 'done';
END $$;

-- Everything in accounts [p_low, p_high) whose end has come goes to the shop's account of what expired; what is held
-- stays until its hold ends. It counts from its own end on, whenever this runs. Returns how many lots and how much.
CREATE FUNCTION ledger_expire_v1(
    p_now timestamptz, p_day date, p_by text, p_low bigint, p_high bigint, OUT lots bigint, OUT amount bigint
) LANGUAGE plpgsql AS $$
DECLARE
    v_made bigint[];
BEGIN
    PERFORM FROM ledger_account account
    WHERE account.id IN (
        SELECT lot.account_id FROM ledger_lot lot
        WHERE lot.remaining > 0 AND lot.expires_at <= p_now AND lot.account_id >= p_low AND lot.account_id < p_high)
    ORDER BY account.id FOR NO KEY UPDATE;
    WITH due AS (
        SELECT lot.id, lot.account_id, lot.remaining, lot.expires_at, account.unit_id, account.held,
               sum(lot.remaining) OVER (PARTITION BY lot.account_id) AS total,
               sum(lot.remaining) OVER (PARTITION BY lot.account_id ORDER BY lot.expires_at, lot.id) AS upto
        FROM ledger_lot lot JOIN ledger_account account ON account.id = lot.account_id
        WHERE lot.remaining > 0 AND lot.expires_at <= p_now AND lot.account_id >= p_low AND lot.account_id < p_high
    ), going AS (
        SELECT due.*, least(due.remaining, due.total - due.held - due.upto + due.remaining) AS gone,
               'expire:' || due.id || ':' || due.remaining AS source
        FROM due WHERE due.total - due.held - due.upto + due.remaining > 0
    ), made AS (
        INSERT INTO ledger_entry AS entry
               (unit_id, from_account_id, to_account_id, amount, source, verb, reason, origin, origin_id,
                effective_at, recorded_at, by)
        SELECT going.unit_id, going.account_id, shop.id, going.gone, going.source, 'expire', '', '', NULL,
               going.expires_at, p_now, p_by
        FROM going JOIN ledger_account shop ON shop.unit_id = going.unit_id AND shop.purpose = 'expired'
        RETURNING entry.id, entry.source, entry.from_account_id, entry.amount
    ), shrunk AS (
        UPDATE ledger_lot lot SET remaining = lot.remaining - going.gone FROM going WHERE lot.id = going.id
    ), drawn AS (
        INSERT INTO ledger_draw (entry_id, lot_id, amount)
        -- The source names the lot; joining by it would be a loop of all with all.
        SELECT made.id, split_part(made.source, ':', 2)::bigint, made.amount FROM made
    ), balances AS (
        UPDATE ledger_account account SET balance = account.balance - each.amount
        FROM (SELECT made.from_account_id, sum(made.amount) AS amount FROM made GROUP BY made.from_account_id) each
        WHERE account.id = each.from_account_id
    )
    SELECT coalesce(array_agg(made.id), '{}'), count(*), coalesce(sum(made.amount), 0) INTO v_made, lots, amount FROM made;
    PERFORM ledger_count_v1(p_day, v_made);
END $$;

-- Move everything of one customer to another, unit by unit: open lots with their ends, holds, and what is owed.
-- Returns how many entries it took.
CREATE FUNCTION ledger_merge_v1(p_now timestamptz, p_day date, p_by text, p_customer bigint, p_into bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_pair record;
    v_wishes jsonb;
    v_done bigint;
    v_count bigint := 0;
BEGIN
    INSERT INTO ledger_account (unit_id, kind, customer_id, purpose, origin, balance, held, may_be_negative, is_frozen,
                                opened_at)
    SELECT account.unit_id, 'customer', p_into, '', '', 0, 0, account.may_be_negative, false, p_now
    FROM ledger_account account WHERE account.customer_id = p_customer
    ON CONFLICT (customer_id, unit_id) DO NOTHING;
    PERFORM FROM ledger_account account WHERE account.customer_id IN (p_customer, p_into)
    ORDER BY account.id FOR NO KEY UPDATE;
    FOR v_pair IN
        SELECT mine.id AS mine, hers.id AS hers, mine.held, mine.balance
        FROM ledger_account mine JOIN ledger_account hers ON hers.unit_id = mine.unit_id AND hers.customer_id = p_into
        WHERE mine.customer_id = p_customer ORDER BY mine.id
    LOOP
        UPDATE ledger_hold hold SET account_id = v_pair.hers WHERE hold.account_id = v_pair.mine AND hold.state = 'open';
        UPDATE ledger_account account SET held = 0 WHERE account.id = v_pair.mine AND account.held > 0;
        SELECT jsonb_agg(jsonb_build_object(
            'n', lot.id, 'source', 'merge:' || lot.id || ':' || lot.remaining, 'from_id', v_pair.mine,
            'to_id', v_pair.hers, 'amount', lot.remaining, 'verb', 'merge', 'reason', '', 'origin', '',
            'active_at', lot.active_at, 'pending_event', lot.pending_event, 'expires_at', lot.expires_at,
            'lot_of', lot.entry_id, 'policy', 'lot'))
        INTO v_wishes FROM ledger_lot lot WHERE lot.account_id = v_pair.mine AND lot.remaining > 0;
        IF v_pair.balance < 0 THEN
            v_wishes := jsonb_build_array(jsonb_build_object(
                'n', 1, 'source', 'merge:' || v_pair.mine || ':owed:' || p_into || ':' || extract(epoch FROM p_now),
                'from_id', v_pair.hers, 'to_id', v_pair.mine, 'amount', -v_pair.balance, 'verb', 'merge', 'reason', '',
                'origin', '', 'active_at', p_now, 'policy', 'negative'));
        END IF;
        IF v_wishes IS NOT NULL THEN
            SELECT count(*) INTO v_done FROM ledger_transfer_v1(p_now, p_day, p_by, v_wishes) made
            WHERE made.outcome = 'done';
            IF v_done <> jsonb_array_length(v_wishes) THEN
                RAISE EXCEPTION 'merge moved % of % lots', v_done, jsonb_array_length(v_wishes);
            END IF;
            v_count := v_count + v_done;
        END IF;
        UPDATE ledger_account account SET held = account.held + v_pair.held WHERE account.id = v_pair.hers AND v_pair.held > 0;
    END LOOP;
    RETURN v_count;
END $$;
