import { beforeStores, wordName } from '../steps/journal-stores.js'
import { currentLife } from './life.js'

/* Makes each store of a word in the journal a step of the life that makes it. */
beforeStores(({ region, address }) => currentLife()?.step(() => `store of ${wordName(region, address)}`))
