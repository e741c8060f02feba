/** An organisation of a project: its key in its own folder, and what it says in the roster. Node only. @module */
export { type Invitation, invitationToken, readInvitation } from "./invitation.ts";
export { addNode, foundingEntry, inviteOrganisation, joinRoster, removeNode, removeOrganisation, rotateKey } from "./organisation-acts.ts";
export {
  createOrganisation,
  type CreateOrganisationOptions,
  openOrganisation,
  type OpenOrganisation,
  type OrganisationFacts,
  organisationFacts,
} from "./organisation-folder.ts";
export { type AskedStart, runSigner, type RunSigner } from "./run-signer.ts";
export { signForNode } from "./sign-for-node.ts";
export { rosterAccess, type RosterAccess, rosterOf } from "./roster-access.ts";
