import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  clearScreen: false,
  logLevel: 'warn',
  // The server puts another nonce into each answer (http/dashboard-files.ts).
  html: { cspNonce: '__nonce__' },
  build: {
    outDir: fileURLToPath(new URL('../../dist/dashboard', import.meta.url)),
    emptyOutDir: true,
    target: 'es2023',
    // `light-dark()` is understood by all browsers of the last two years, and need not be spelled out.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // The policy of the page allows no inline script.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: {
      input: {
        index: fileURLToPath(new URL('index.html', import.meta.url)),
        // The script of a page that the server writes (routes/responses/request-page.ts).
        request: fileURLToPath(new URL('request/main.ts', import.meta.url)),
      },
    },
  },
})
