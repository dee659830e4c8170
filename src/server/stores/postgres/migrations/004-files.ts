/**
 * Files, and the objects of the bucket that hold their bytes. The content of a file is one or more objects, in order; a key is
 * used once. `path` is the name as UTF-16 with the high byte first: its order is that of UTF-16 code units, which no collation
 * has.
 */
export const fileTables = `
  create table objects (
    key text primary key,
    content text not null,
    position int not null default 0,
    -- Its bytes that count: it may have more.
    size bigint not null,
    -- pending: may be under way; stored; live: of a published file; garbage.
    state text not null,
    created_at timestamptz not null default clock_timestamp(),
    -- The server that writes it.
    node bigint references nodes on delete set null,
    -- Of garbage: when it may be removed, and how many times it is still to be removed.
    not_before timestamptz,
    passes int
  );
  create unique index objects_of_content on objects (content, position);
  create index garbage_objects on objects (not_before) where state = 'garbage';
  create index unpublished_objects on objects (node) where state in ('pending', 'stored');

  -- Contents that are being read: their objects are kept.
  create table object_readers (
    id bigint generated always as identity primary key,
    content text not null,
    node bigint not null references nodes on delete cascade
  );
  create index readers_of_content on object_readers (content);
  create index readers_of_node on object_readers (node);

  create table files (
    account text not null,
    path bytea not null,
    name text not null,
    -- The name in lower case, for searches.
    folded text not null,
    content text not null,
    size bigint not null,
    sha256 text not null,
    type text not null,
    published_at timestamptz not null,
    is_date_strong boolean not null,
    primary key (account, path)
  );
  create index files_of_content on files (content);

  -- Folders that are kept while they are empty; their names end with a slash.
  create table kept_folders (
    account text not null,
    path bytea not null,
    name text not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (account, path)
  );

  create table partials (
    id text primary key,
    -- null once it is published.
    content text,
    size bigint not null default 0,
    state json,
    node bigint references nodes on delete set null,
    updated_at timestamptz not null default clock_timestamp()
  );
  create index partials_of_content on partials (content);
  create index partials_of_node on partials (node);
  create index partials_without_node on partials (id) where node is null;

  -- Files that are to be published together. An id is a job's.
  create table stages (
    id text primary key,
    account text not null,
    node bigint references nodes on delete set null
  );
  create index stages_of_node on stages (node);

  create table staged_files (
    stage text not null references stages on delete cascade,
    name text not null,
    content text not null,
    size bigint not null,
    sha256 text not null,
    type text not null,
    precondition json,
    primary key (stage, name)
  );
  create index staged_content on staged_files (content);

  -- Their names end with a slash.
  create table staged_folders (
    stage text not null references stages on delete cascade,
    name text not null,
    primary key (stage, name)
  );
`
