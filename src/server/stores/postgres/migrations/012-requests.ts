/** Links for uploads, what they have received, and what uploads under way have taken of their limits. */
export const requestTables = `
  create table file_requests (
    id text primary key,
    account_id bigint not null,
    folder text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    password_hash text,
    max_files bigint,
    max_bytes bigint,
    max_file_bytes bigint,
    files bigint not null default 0,
    bytes bigint not null default 0,
    opened bigint not null default 0,
    note text,
    position bigint generated always as identity
  );
  create index requests_of_account on file_requests (account_id);

  -- Of a job that has ended without success, it counts no more.
  create table request_reservations (
    job text primary key,
    request text not null references file_requests on delete cascade,
    files bigint not null,
    bytes bigint not null
  );
  create index reservations_of_request on request_reservations (request);
`
