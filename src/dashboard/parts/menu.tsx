import { useId, useRef, useState } from 'preact/hooks'
import { Icon } from './icon.js'

export interface MenuItem {
  label: string
  run(): void
  /** Highlighted as what cannot be undone; default false. */
  isDanger?: boolean
}

interface MenuProps {
  label: string
  items: readonly MenuItem[]
  /** Of the button; default 0. */
  tabIndex?: number
}

/** A button that opens a list of actions in words. The browser closes it on Escape and on a click elsewhere. */
export function Menu({ label, items, tabIndex = 0 }: MenuProps) {
  const id = useId()
  const button = useRef<HTMLButtonElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const [isOpen, setIsOpen] = useState(false)

  function place() {
    const [from, box] = [button.current!.getBoundingClientRect(), list.current!]
    const top = Math.min(from.bottom + 4, innerHeight - box.offsetHeight - 8)
    box.style.top = `${Math.max(8, top)}px`
    box.style.left = `${Math.max(8, from.right - box.offsetWidth)}px`
  }

  function choose({ run }: MenuItem) {
    list.current?.hidePopover()
    // A dialog that opens returns the focus to here.
    button.current?.focus()
    run()
  }

  return (
    <>
      <button
        ref={button}
        type="button"
        class="icon-button"
        aria-label={label}
        aria-haspopup="true"
        title={label}
        popovertarget={id}
        tabIndex={tabIndex}
      >
        <Icon name="more" />
      </button>
      <div
        ref={list}
        id={id}
        class="menu"
        popover="auto"
        onBeforeToggle={(event) => setIsOpen((event as unknown as ToggleEvent).newState === 'open')}
        onToggle={(event) => {
          if ((event as unknown as ToggleEvent).newState === 'open') place()
        }}
      >
        {(isOpen ? items : []).map((item) => (
          <button
            key={item.label}
            type="button"
            class={item.isDanger ? 'menu-item danger' : 'menu-item'}
            onClick={() => choose(item)}
          >
            {item.label}
          </button>
        ))}
      </div>
    </>
  )
}
