import { signal } from '@preact/signals'
import type { Features } from '../protocol/features.js'
import { routes } from '../protocol/routes.js'
import { callApi } from './api.js'

/** What the server offers; null until it has answered. */
export const features = signal<Features | null>(null)

/** Loads it once. Throws the server's error. */
export async function loadFeatures(): Promise<void> {
  features.value ??= await callApi<Features>('GET', routes.features)
}
