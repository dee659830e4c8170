/** For pages of an account's ended jobs of a kind or state, and of the latest unfinished jobs of all accounts. */
export const jobPageIndexes = `
  create index ended_jobs_of_account_by_state on jobs (account_id, kind, state, (-seq)) where ended_at is not null;
  create index unfinished_jobs_in_order on jobs ((-seq)) where ended_at is null;
`
