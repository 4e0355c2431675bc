export const NAME_LENGTH: number
