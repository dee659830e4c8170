import fc from 'fast-check'

// The ordinary suite tries the same inputs each time, so that only a change makes it fail. The soak draws new ones.
fc.configureGlobal({ seed: 20_261_128 })
