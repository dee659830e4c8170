const storageKey = 'filejobs-notify'

/** Whether the person wants notifications of the browser, and it lets the page send them. */
export function isNotifying(): boolean {
  return localStorage.getItem(storageKey) === 'yes' && 'Notification' in window && Notification.permission === 'granted'
}

export function setNotifying(isWanted: boolean): void {
  if (isWanted) localStorage.setItem(storageKey, 'yes')
  else localStorage.removeItem(storageKey)
}

/** Tells of an end outside of the page. */
export function notify(words: string): void {
  if (!isNotifying()) return
  try {
    // The next one replaces it.
    const notification = new Notification('filejobs', { body: words, tag: 'filejobs', icon: '/favicon.svg' })
    notification.onclick = () => window.focus()
  } catch {
    // Chromium on Android has the constructor, and refuses it.
  }
}
