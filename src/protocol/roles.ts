export const roles = ['user', 'ops', 'client', 'admin'] as const
export type Role = (typeof roles)[number]

/** The roles that can sign up. An admin is created by another admin. */
export const signupRoles: readonly Role[] = roles.filter((role) => role !== 'admin')
