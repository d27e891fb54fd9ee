export const CHECK_FORMATS = ['nagios', 'text', 'json', 'prometheus'] as const;
export type CheckFormat = (typeof CHECK_FORMATS)[number];
