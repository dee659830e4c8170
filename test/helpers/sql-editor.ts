import type { Locator, Page } from 'playwright-core'

/** The field for SQL, with its editor. */
export function sqlField(page: Page): Locator {
  return page.locator('.sql-editor').getByRole('textbox', { name: 'SQL' })
}

/** The query that it shows. */
export async function sqlIn(page: Page): Promise<string> {
  const lines = await sqlField(page).locator('.cm-line').allTextContents()
  return lines.join('\n')
}
