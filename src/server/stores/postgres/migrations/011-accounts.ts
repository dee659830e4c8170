/** What an admin sets for an account, and sees of it. */
export const accountColumns = `
  -- Bytes; null for that of the server.
  alter table accounts add column quota bigint;
  alter table accounts add column is_unlimited boolean not null default false;
  -- By a session that has ended.
  alter table accounts add column last_seen_at timestamptz;
  -- The link that sets the password: SHA-256 of its secret. Both are null, or neither.
  alter table accounts add column invitation_digest text;
  alter table accounts add column invitation_expires_at timestamptz;
`
