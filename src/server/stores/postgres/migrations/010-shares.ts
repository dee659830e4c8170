/**
 * What a link serves and asks for, and how often it was used. The release before sees only the links that it may serve as it does, as the
 * view `shares` with the columns that it knows.
 */
export const shareColumns = `
  alter table shares rename to links;
  alter table links
    add column names json,
    add column password_hash text,
    add column max_downloads int,
    add column downloads int not null default 0,
    add column opened bigint not null default 0,
    add column note text;

  create view shares as
    select id, account_id, filename, created_at, expires_at, position from links
    where names is null and password_hash is null and max_downloads is null;

  -- The downloads under way: those of a server that has died are given back with its row.
  create table link_downloads (
    id text primary key,
    link text not null references links on delete cascade,
    node bigint not null references nodes on delete cascade
  );
  create index downloads_of_link on link_downloads (link);
  create index downloads_of_node on link_downloads (node);
`
