import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Where the system's Chromium is; undefined where there is none, and its tests are skipped. */
export const chromiumPath = places.find((path) => existsSync(path))

if (!chromiumPath) console.warn('No Chromium on this system: the tests of the dashboard are skipped.')

/** Resolved by the browser to this machine. By plain http its pages have no secure context, as those of any other host. */
export const foreignHost = 'files.test'

let shared: Promise<Browser> | undefined

/**
 * The Chromium of this process, for all of its test files. It takes files by their path, and no other process relays
 * its messages, as it would for a browser that several processes share.
 */
export function openChromium(): Promise<Browser> {
  shared ??= launch()
  return shared
}

function launch(): Promise<Browser> {
  // Vitest ends a process by this signal. Playwright ends its browser and removes its profile when the process exits.
  process.once('SIGTERM', () => process.exit())
  return chromium.launch({
    timeout: 60_000,
    handleSIGTERM: false,
    ...(chromiumPath ? { executablePath: chromiumPath } : {}),
    // Without it, Chromium calls a download with a name beyond ASCII "download".
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    args: [
      '--no-sandbox',
      `--host-resolver-rules=MAP ${foreignHost} 127.0.0.1`,
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--disable-features=${[...defaultFeatures, ...windowFeatures].join()}`,
    ],
  })
}

/** Pages of the address bar, which each window loads: twice the processor time of a page of the dashboard. */
const windowFeatures = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup']

/** Playwright disables these, but Chromium heeds the last list only. */
const defaultFeatures = [
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsUpgrades',
  'HttpsFirstBalancedModeAutoEnable',
  'LensOverlay',
  'MediaRouter',
  'PaintHolding',
  'ThirdPartyStoragePartitioning',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'OptimizationHints',
  'NetworkTimeServiceQuerying',
  'AimEnabled',
  'PreconnectToSearch',
]
