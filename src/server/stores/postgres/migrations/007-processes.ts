/** What a server's process is, so that others on its machine see when it has ended. */
export const processColumn = `
  alter table nodes add column process json;
`
