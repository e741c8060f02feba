/** Who belongs to a project: organisations and their nodes, as signed, linked entries that no server can add to. Runs in browsers. @module */
export { publicKeySchema, type RosterAct, type RosterEntry, rosterEntrySchema } from "./acts.ts";
export { rosterEntryBytes, rosterEntryHash, signRosterEntry } from "./entry.ts";
export { extendsHead, keyAt, nodesAt, wasMember } from "./membership.ts";
export { readRoster, type Roster, type RosterHead, type RosterInvitation, type RosterNode, type RosterOrganisation } from "./roster.ts";
