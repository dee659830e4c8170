/** Where the other servers reach one. */
export const nodeAddresses = `
  alter table nodes add column address text;
`
