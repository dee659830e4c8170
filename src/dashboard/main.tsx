import { render } from 'preact'
import { loadAccount } from './account.js'
import { startRouter } from './router.js'
import { App } from './shell/app.js'
import { applyTheme } from './theme.js'
import { allViews } from './views/all-views.js'
import { findView } from './views/find-view.js'
// Not next to the chart: a stylesheet that fails to load with a lazy part is not requested again.
import 'uplot/dist/uPlot.min.css'
import './style/all.css'

applyTheme()
// The address of a file differs from that of a folder by the slash at the end of the latter.
startRouter((path) => (/^\/files\/|^\/published\/[^/]+\//.test(path) ? path.endsWith('/') : isView(path)))
loadAccount()
const root = document.getElementById('app')
if (root) {
  root.replaceChildren()
  render(<App />, root)
}

function isView(path: string): boolean {
  return path === '/' || findView(allViews, { path, query: new URLSearchParams() }) !== undefined
}
