/** What the responses of a resumable upload say after its publish. */
export const uploadedColumn = `
  alter table jobs add column uploaded json;
`
