import { render } from 'preact'
import { loadAccount } from './account.js'
import { App } from './app.js'
import { applyTheme } from './theme.js'
// Not next to the chart: a stylesheet that fails to load with a lazy part is not requested again.
import 'uplot/dist/uPlot.min.css'
import './style/all.css'

applyTheme()
loadAccount()
const root = document.getElementById('app')
if (root) {
  root.replaceChildren()
  render(<App />, root)
}
