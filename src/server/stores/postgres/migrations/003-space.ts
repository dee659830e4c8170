/** Reserved space, and the files of jobs of many files. */
export const spaceTables = `
  create table reservations (
    id bigint generated always as identity primary key,
    account text not null,
    bytes bigint not null,
    node bigint not null references nodes on delete cascade
  );
  create index reservations_of_account on reservations (account);
  create index reservations_of_node on reservations (node);

  create table job_file_lists (
    job text primary key,
    files int not null default 0,
    is_cut boolean not null default false
  );

  create table job_files (
    job text not null references job_file_lists on delete cascade,
    position bigint generated always as identity,
    file json not null,
    primary key (job, position)
  );
`
