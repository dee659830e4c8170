/** Servers, and the jobs that they run: claims, the queue and the history are columns of one row. */
export const jobTables = `
  create table nodes (
    id bigint generated always as identity primary key,
    name text not null,
    started_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
  );

  create sequence job_seq;
  create sequence job_turns;

  -- Records are json, not jsonb: a name may have any character, also those that jsonb refuses.
  create table jobs (
    id text primary key,
    seq bigint not null unique default nextval('job_seq'),
    kind text not null,
    account text not null,
    account_id bigint not null,
    state text not null,
    record json not null,
    receipt json,
    published json,
    ended_at timestamptz,
    is_resumable boolean not null default false,
    -- The server that runs it; its claim is lost when that row is deleted.
    node bigint references nodes on delete set null,
    -- Of a job that holds one. The index below is the guard of "one running job", whatever else goes wrong.
    slot int,
    -- The order of the queue, and of those that hold a slot.
    turn bigint,
    is_waiting boolean not null default false,
    is_bounded boolean not null default false
  );
  create unique index one_job_a_slot on jobs (kind, account, slot) where slot is not null;
  create index jobs_in_turn on jobs (kind, account, turn) where slot is not null or is_waiting;
  create index jobs_of_node on jobs (node) where node is not null;
  create index jobs_without_node on jobs (seq) where node is null and ended_at is null;
  create index unfinished_jobs on jobs (account_id, seq) where ended_at is null;
  create index ended_jobs on jobs (seq desc) where ended_at is not null;
  create index ended_jobs_by_state on jobs (kind, state, (-seq)) where ended_at is not null;
  create index ended_jobs_of_account on jobs (account_id, seq desc) where ended_at is not null;

  -- What users of other servers want of a job. It stays until the server that asks has its answer.
  create table job_requests (
    id text primary key,
    job text not null references jobs on delete cascade,
    asked_by bigint not null references nodes on delete cascade,
    asked_at timestamptz not null default clock_timestamp(),
    request json not null,
    is_stop boolean not null,
    answer json
  );
  create index requests_to_job on job_requests (job) where answer is null;
  create index requests_of_node on job_requests (asked_by);
`
