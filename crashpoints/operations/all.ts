import { attributes } from './attributes.js'
import { data } from './data.js'
import { files } from './files.js'
import { names } from './names.js'
import type { Operation } from './operation.js'

export const operations: readonly Operation[] = [...names, ...files, ...data, ...attributes]
