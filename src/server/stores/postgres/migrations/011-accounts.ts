/** What an admin sets for an account. */
export const accountColumns = `
  -- Bytes; null for that of the server.
  alter table accounts add column quota bigint;
  alter table accounts add column is_unlimited boolean not null default false;
`
