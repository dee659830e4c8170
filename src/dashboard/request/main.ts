import { sendChosenFiles } from './send-files.js'

// The script of the page of a link for uploads, whose form works without it.
const form = document.querySelector<HTMLFormElement>('#send')
const input = form?.querySelector<HTMLInputElement>('input[type=file]')
const list = document.querySelector<HTMLElement>('#files')
const status = document.querySelector<HTMLElement>('#sending')
const address = form?.dataset.address
if (form && input && list && status && address) {
  for (const part of form.querySelectorAll<HTMLElement>('.by-script')) part.hidden = false
  // Files are sent as soon as they are chosen.
  form.querySelector('button')?.remove()
  sendChosenFiles({ form, input, list, status, address })
}
