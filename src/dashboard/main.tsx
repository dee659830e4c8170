import { render } from 'preact'
import { loadAccount } from './account.js'
import { App } from './app.js'
import { applyTheme } from './theme.js'
// Not beside the chart: what fails to load once beside a part that is loaded later is not asked for again.
import 'uplot/dist/uPlot.min.css'
import './style/base.css'
import './style/layout.css'
import './style/parts.css'
import './style/views.css'

applyTheme()
loadAccount()
const root = document.getElementById('app')
if (root) {
  root.replaceChildren()
  render(<App />, root)
}
