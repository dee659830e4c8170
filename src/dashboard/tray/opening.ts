import { signal } from '@preact/signals'
import { useRef, useState } from 'preact/hooks'

const storageKey = 'filejobs-tray'

/** What the person has chosen last, in this browser: closed at first. */
const isChosen = signal(localStorage.getItem(storageKey) === 'open')

/** Whether the tray is open: as the person has left it, and by itself when something new needs them. */
export function useOpening(needs: number): { isOpen: boolean; toggle(): void } {
  /** How much needed the person when they closed it. What was settled since and comes again is new. */
  const dismissed = useRef(0)
  const [, setTurn] = useState(0)
  dismissed.current = Math.min(dismissed.current, needs)
  const isOpen = isChosen.value || needs > dismissed.current
  return {
    isOpen,
    toggle() {
      dismissed.current = isOpen ? needs : 0
      isChosen.value = !isOpen
      localStorage.setItem(storageKey, isOpen ? 'closed' : 'open')
      setTurn((before) => before + 1)
    },
  }
}

/** Whether the person keeps the tray open. */
export function isTrayKeptOpen(): boolean {
  return isChosen.peek()
}
