"""Everything that is done about schemes, referrals and partners: one verb a function."""
