import { useState } from 'preact/hooks'
import { toast } from '../parts/toasts.js'
import { say } from '../words/say.js'
import { isNotifying, setNotifying } from './notifications.js'

/** Asks the browser for leave to tell of the end while the page is not seen; never unasked. */
export function NotifyButton() {
  const [isOn, setIsOn] = useState(isNotifying)
  if (!('Notification' in window) || !isSecureContext) return null

  async function change() {
    const wanted = !isOn
    if (wanted && (await Notification.requestPermission()) !== 'granted') {
      toast({ tone: 'bad', title: say('tray.notifyDenied'), text: say('tray.notifyDeniedText') })
      return
    }
    setNotifying(wanted)
    setIsOn(wanted)
  }

  return (
    <button type="button" class="plain" aria-pressed={isOn} onClick={change}>
      {say('tray.notify')}
    </button>
  )
}
