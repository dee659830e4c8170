import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The environment for a browser that has a fine font as the system's, where one is installed: a bare machine has fonts that
 * no one has on a desktop.
 */
export function fontSettings(folder) {
  const path = join(folder, 'fonts.conf')
  writeFileSync(
    path,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  ${prefer('system-ui', ['Inter', 'Noto Sans', 'DejaVu Sans'])}
  ${prefer('sans-serif', ['Inter', 'Noto Sans', 'DejaVu Sans'])}
  ${prefer('monospace', ['JetBrains Mono', 'DejaVu Sans Mono'])}
</fontconfig>
`,
  )
  return { FONTCONFIG_FILE: path }
}

function prefer(family, fonts) {
  const list = fonts.map((font) => `<family>${font}</family>`).join('')
  return `<match target="pattern"><test name="family"><string>${family}</string></test><edit name="family" mode="prepend" binding="strong">${fonts
    .map((font) => `<string>${font}</string>`)
    .join('')}</edit></match><alias><family>${family}</family><prefer>${list}</prefer></alias>`
}
