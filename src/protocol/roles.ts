export const roles = ['user', 'ops', 'client', 'admin'] as const
export type Role = (typeof roles)[number]

/** The roles that can sign up. An admin is created by another admin. */
export const signupRoles: readonly Role[] = roles.filter((role) => role !== 'admin')

/** Whether clients read all files of the accounts with this role. */
export const publishes = { user: false, ops: true, client: false, admin: false } as const satisfies Record<
  Role,
  boolean
>
