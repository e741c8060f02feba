import { NexusError } from "@ciphernx/core/errors";
import { extendsHead, readRoster, type Roster, signRosterEntry } from "@ciphernx/core/roster";
import { generateSigningKey } from "@ciphernx/crypto/keys";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Invitation } from "./invitation.ts";
import type { OpenOrganisation } from "./organisation-folder.ts";
import { type RosterAccess, say } from "./roster-access.ts";

/** The roster as it is now, checked against what the organisation saw before. @throws NexusError ROSTER_FORKED */
async function current(access: RosterAccess, organisation: OpenOrganisation): Promise<Roster> {
  const roster = await access.read();
  if (roster.project !== organisation.project) throw foreign(roster, organisation.project);
  await organisation.seen(roster);
  return roster;
}

function foreign(roster: Roster, project: string): NexusError {
  return new NexusError("ROSTER_FORKED", `The coordinator shows the roster of the project ${roster.project}, not of ${project}.`);
}

async function said(organisation: OpenOrganisation, saying: Promise<Roster>): Promise<Roster> {
  const roster = await saying;
  await organisation.seen(roster);
  return roster;
}

/** The first entry of a project's roster, with its text for `Nexus.organisations.found`. */
export async function foundingEntry(organisation: OpenOrganisation): Promise<{ readonly entry: string; readonly roster: Roster }> {
  const { name, project, publicKey, key } = organisation;
  const act = { kind: "founded", project, organisation: name, key: publicKey } as const;
  const entry = await signRosterEntry(undefined, act, { keys: [key], at: new Date().toISOString() });
  return { entry: JSON.stringify(entry), roster: await readRoster([entry]) };
}

/** Invites an organisation; what is returned is for it alone. @throws NexusError ROSTER_INVALID when the name was on the roster before */
export async function inviteOrganisation(
  access: RosterAccess,
  organisation: OpenOrganisation,
  { name, expiresInSeconds }: { readonly name: string; readonly expiresInSeconds: number },
): Promise<Invitation> {
  const key = await generateSigningKey();
  const until = new Date(Date.now() + expiresInSeconds * 1000).toISOString();
  const act = { kind: "invited", by: organisation.name, organisation: name, invitation: bytesToHex(key.publicKey), until } as const;
  const known = await current(access, organisation);
  const { version, hash } = await said(organisation, say(access, { known, act, keys: [organisation.key] }));
  return { key, project: organisation.project, organisation: name, head: { version, hash } };
}

/** Takes up an invitation: the newcomer's key is on the roster afterwards. */
export async function joinRoster(access: RosterAccess, organisation: OpenOrganisation, { key, head, project }: Invitation): Promise<Roster> {
  const known = await access.read();
  if (known.project !== project) throw foreign(known, project);
  if (!extendsHead(known, head)) {
    throw new NexusError("ROSTER_FORKED", `The roster that the coordinator shows is not the one that the invitation is for (entry ${head.version}).`);
  }
  const { name, publicKey } = organisation;
  // It was taken up before, and the answer was lost.
  if (known.organisations.get(name)?.key === publicKey) return said(organisation, Promise.resolve(known));
  const act = { kind: "joined", organisation: name, key: publicKey, invitation: bytesToHex(key.publicKey) } as const;
  return said(organisation, say(access, { known, act, keys: [key, organisation.key] }));
}

/** Replaces the organisation's key; both sign. The folder goes on with the new one. */
export async function rotateKey(access: RosterAccess, organisation: OpenOrganisation): Promise<Roster> {
  const before = organisation.publicKey;
  const known = await current(access, organisation);
  // A rotation that broke off after the roster had it is done by now.
  if (organisation.publicKey !== before) return known;
  const next = await organisation.nextKey();
  const act = { kind: "key-rotated", organisation: organisation.name, key: bytesToHex(next.publicKey) } as const;
  return said(organisation, say(access, { known, act, keys: [organisation.key, next] }));
}

/** Signs for a node: it speaks for the organisation from then on. Nothing is added when it does already. */
export async function addNode(
  access: RosterAccess,
  organisation: OpenOrganisation,
  { node, key }: { readonly node: string; readonly key: string },
): Promise<Roster> {
  const known = await current(access, organisation);
  const { name } = organisation;
  const present = known.nodes.get(node);
  if (present?.organisation === name && present.key === key) return known;
  return said(organisation, say(access, { known, act: { kind: "node-added", organisation: name, node, key }, keys: [organisation.key] }));
}

/** Says that a node no longer speaks for the organisation. */
export async function removeNode(access: RosterAccess, organisation: OpenOrganisation, node: string): Promise<Roster> {
  const known = await current(access, organisation);
  return said(organisation, say(access, { known, act: { kind: "node-removed", organisation: organisation.name, node }, keys: [organisation.key] }));
}

/** Removes an organisation with its nodes: itself, or any other as the founder. */
export async function removeOrganisation(access: RosterAccess, organisation: OpenOrganisation, name: string): Promise<Roster> {
  const known = await current(access, organisation);
  const act = { kind: "organisation-removed", organisation: name, by: organisation.name } as const;
  return said(organisation, say(access, { known, act, keys: [organisation.key] }));
}
