/** A text; or one for each plural form of `count` (Unicode CLDR, plural rules). Words in braces are placeholders. */
export type Message = string | ({ other: string } & Partial<Record<Intl.LDMLPluralRule, string>>)
