import { useEffect, useId, useRef } from 'preact/hooks'
import { signOut } from '../account.js'
import { Icon } from '../parts/icon.js'
import { toastError } from '../parts/toasts.js'
import { address } from '../router.js'
import { type Theme, theme, themes } from '../theme.js'
import type { View } from '../views/view.js'
import { say } from '../words/say.js'

/** What belongs to the person, behind their name. The browser closes it on Escape and on a click elsewhere. */
export function AccountMenu({ account, views }: { account: string; views: readonly View[] }) {
  const id = useId()
  const menu = useRef<HTMLDivElement>(null)
  useEffect(() => menu.current?.hidePopover(), [address.value.path])
  return (
    <>
      <button
        type="button"
        class="account-button"
        aria-label={say('shell.accountMenu', { account })}
        title={account}
        popovertarget={id}
      >
        <Icon name="person" />
        <span class="account-name">{account}</span>
        <Icon name="chevron" />
      </button>
      <div ref={menu} id={id} class="account-menu" popover="auto">
        {views.map((view) => (
          <a key={view.href} class="menu-item" href={view.href}>
            <Icon name={view.icon} />
            {say(view.name)}
          </a>
        ))}
        <a class="menu-item" href="/docs">
          <Icon name="book" />
          {say('shell.api')}
        </a>
        <ThemeChoice />
        <button
          type="button"
          class="menu-item"
          onClick={() => signOut().catch((error) => toastError(say('shell.notSignedOut'), error))}
        >
          <Icon name="out" />
          {say('shell.signOut')}
        </button>
      </div>
    </>
  )
}

function ThemeChoice() {
  return (
    <fieldset class="theme">
      <legend class="hidden">{say('shell.theme')}</legend>
      {themes.map((name) => (
        <label key={name} title={say(themeWords[name])}>
          <input
            type="radio"
            name="theme"
            class="hidden"
            checked={theme.value === name}
            onChange={() => {
              theme.value = name
            }}
          />
          <Icon name={themeIcons[name]} />
          <span class="hidden">{say(themeWords[name])}</span>
        </label>
      ))}
    </fieldset>
  )
}

const themeIcons = { auto: 'auto', light: 'sun', dark: 'moon' } as const
const themeWords = {
  auto: 'shell.theme.auto',
  light: 'shell.theme.light',
  dark: 'shell.theme.dark',
} as const satisfies Record<Theme, string>
