/** People: members of the project, their invitations, sessions, and the page where they sign in. @module */
export { invite, type InvitationRow, openInvitations } from "./invitations.ts";
export { listMembers, type MemberRow, removeMember, setMemberRole } from "./members.ts";
export { callsKeyOf, createPeople, type People, type SessionHolder } from "./people.ts";
export type { OidcOptions } from "./oidc.ts";
