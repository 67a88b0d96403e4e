/** What a member is allowed to be: the OU of its certificate. */
export const ROLES = [
  "validator",
  "observer",
  "regulator-node",
  "enterprise",
  "individual",
  "institution",
  "regulator",
  "auditor",
  "admin",
] as const;

export type Role = (typeof ROLES)[number];

/** The role that a text names; undefined when it names none. */
export function roleOf(text: string): Role | undefined {
  return ROLES.find((role) => role === text);
}
