import { build, isStale } from '../scripts/build.mjs'

/** Tests import the built program, so it is brought up to date before the first of them. */
export function setup(): void {
  if (isStale()) build()
}
