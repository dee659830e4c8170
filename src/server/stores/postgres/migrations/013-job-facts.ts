/**
 * What the lists of ended jobs are filtered by, in the order of the lists; what a query asks; and the version of each server. The new indexes
 * serve whatever those served that they replace.
 */
export const jobFacts = `
  create index ended_jobs_by_facts on jobs (kind, state, (-seq), ended_at, (record #>> '{error,code}'))
    where ended_at is not null;
  create index ended_jobs_of_account_by_facts
    on jobs (account_id, kind, state, (-seq), ended_at, (record #>> '{error,code}')) where ended_at is not null;
  drop index ended_jobs_by_state;
  drop index ended_jobs_of_account_by_state;
  alter table jobs add column query text;
  alter table nodes add column version text;
`
