/** Where the other servers reach one, and what it leaves when its row is deleted. */
export const serverColumns = `
  alter table nodes add column address text;
  create index objects_of_node on objects (node) where node is not null;
`
