/**
 * What a person or program may be in a project.
 *
 * - `owner`: runs the project; admits nodes, gives out tokens, may do everything.
 * - `data-scientist`: plans, starts and stops runs, reads models.
 * - `data-owner`: sees what happens with the data of the project, and the models that were learnt from it; starts nothing.
 * - `auditor`: reads records and the list of tokens; never a model's parameters.
 *
 * Which call that is, is said in one table: `@ciphernx/protocol/permissions`.
 */
export const ROLES = ["owner", "data-scientist", "data-owner", "auditor"] as const;

export type Role = (typeof ROLES)[number];

/** Whether a word from elsewhere names a role. */
export function isRole(word: string): word is Role {
  return (ROLES as readonly string[]).includes(word);
}
