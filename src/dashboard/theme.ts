import { effect, signal } from '@preact/signals'

export const themes = ['auto', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

/** As the system has it, unless it is chosen here. */
export const theme = signal<Theme>(storedTheme())

/** Follows the choice from now on. */
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
