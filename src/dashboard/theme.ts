import { effect, signal } from '@preact/signals'

export const themes = ['auto', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

/** The system's theme, unless the user has chosen one. */
export const theme = signal<Theme>(storedTheme())

/** Applies the theme, now and after changes. */
export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value
    localStorage.setItem(key, theme.value)
  })
}

const key = 'filejobs-theme'

function storedTheme(): Theme {
  return themes.find((known) => known === localStorage.getItem(key)) ?? 'auto'
}
