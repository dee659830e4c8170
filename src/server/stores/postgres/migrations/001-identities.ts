/** Who may do what: accounts, sessions, links, and what belongs to the whole installation. */
export const identityTables = `
  create table settings (
    name text primary key,
    value text not null
  );

  create table counters (
    name text primary key,
    n bigint not null
  );

  create table accounts (
    id bigint primary key,
    role text not null,
    username text not null,
    password_hash text not null,
    name text,
    email text,
    is_disabled boolean not null default false,
    created_at timestamptz not null default clock_timestamp()
  );
  create unique index accounts_by_name on accounts (role, lower(username));

  create table sessions (
    id text primary key,
    account_id bigint not null,
    client text not null,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    expires_at timestamptz not null,
    refresh_id text,
    position bigint generated always as identity
  );
  create index sessions_of_account on sessions (account_id);
  create index sessions_by_expiry on sessions (expires_at);

  create table shares (
    id text primary key,
    account_id bigint not null,
    filename text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    position bigint generated always as identity
  );
  create index shares_of_account on shares (account_id);
  create index shares_by_expiry on shares (expires_at);
`
