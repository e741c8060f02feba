import { verify } from "@ciphernx/crypto/keys";
import { hexToBytes } from "@noble/hashes/utils.js";
import { NexusError } from "../errors/index.ts";
import { type RosterAct, type RosterEntry, rosterEntrySchema } from "./acts.ts";
import { rosterEntryBytes, rosterEntryHash } from "./entry.ts";

/** A state of a roster: how many entries it has, and the hash of the last, which names them all. */
export interface RosterHead {
  readonly version: number;
  readonly hash: string;
}

/** An organisation on a roster. */
export interface RosterOrganisation {
  readonly name: string;
  /** Its key, in hex. */
  readonly key: string;
  /** Its keys, each with the version from which on it is the one; the last is `key`. */
  readonly keys: readonly { readonly key: string; readonly version: number }[];
  /** Entry that made it a member. */
  readonly version: number;
  /** Undefined of the founder. */
  readonly invitedBy: string | undefined;
}

/** A node on a roster. */
export interface RosterNode {
  readonly name: string;
  /** Its signing key, in hex. */
  readonly key: string;
  readonly organisation: string;
  /** Entry that added it. */
  readonly version: number;
  /** Entry that removed it; undefined while it is there. */
  readonly until?: number;
}

/** An invitation that nobody has used. */
export interface RosterInvitation {
  readonly organisation: string;
  readonly by: string;
  /** ISO 8601, UTC. */
  readonly until: string;
}

/** Who belongs to a project, as the entries of its roster say: every one of them was signed by who may say it. */
export interface Roster extends RosterHead {
  /** The project's id. */
  readonly project: string;
  readonly founder: string;
  /** Members by name. */
  readonly organisations: ReadonlyMap<string, RosterOrganisation>;
  /** Nodes of members by name. */
  readonly nodes: ReadonlyMap<string, RosterNode>;
  /** Nodes that were removed, oldest removal first. */
  readonly formerNodes: readonly RosterNode[];
  /** By the key of the invitation, in hex. */
  readonly invitations: ReadonlyMap<string, RosterInvitation>;
  /** All of it, the first entry first. */
  readonly entries: readonly RosterEntry[];
  /** Their hashes. */
  readonly hashes: readonly string[];
}

/** A roster while entries are added to it. */
interface Growing {
  version: number;
  hash: string;
  readonly project: string;
  readonly founder: string;
  readonly organisations: Map<string, RosterOrganisation>;
  readonly nodes: Map<string, RosterNode>;
  readonly formerNodes: RosterNode[];
  readonly invitations: Map<string, RosterInvitation>;
  readonly entries: RosterEntry[];
  readonly hashes: string[];
  /** Names of organisations that were ever there: none is given to another. */
  readonly usedNames: Set<string>;
  /** Keys that were ever there, with what they are of. */
  readonly usedKeys: Map<string, string>;
  /** Whose a node's name is, also after the node was removed. */
  readonly namesOf: Map<string, string>;
}

const grown = new WeakMap<Roster, Growing>();

/**
 * Reads a roster, entry by entry: each has to follow the one before, say something that can be said then, and be signed by exactly who
 * has to. Pure but for WebCrypto.
 * @param entries after those of `before`; of unknown origin
 * @throws NexusError ROSTER_INVALID naming the entry and what is wrong with it
 */
export async function readRoster(entries: readonly unknown[], before?: Roster): Promise<Roster> {
  let growing = before === undefined ? undefined : copyOf(before);
  for (const candidate of entries) growing = await extended(growing, candidate);
  if (growing === undefined) throw invalid(1, "there is none");
  const { usedNames: _names, usedKeys: _keys, namesOf: _of, ...rest } = growing;
  const roster: Roster = { ...rest };
  grown.set(roster, growing);
  return roster;
}

async function extended(before: Growing | undefined, candidate: unknown): Promise<Growing> {
  const version = (before?.version ?? 0) + 1;
  const parsed = rosterEntrySchema.safeParse(candidate);
  if (!parsed.success) throw invalid(version, `it is no entry: ${parsed.error.issues[0]?.message ?? "unreadable"}`);
  const entry = parsed.data;
  if (entry.version !== version) throw invalid(version, `it calls itself entry ${entry.version}`);
  if (entry.previous !== before?.hash) throw invalid(version, "it follows another entry than the one before");
  const { act } = entry;
  const signers = before === undefined ? foundersKey(act, version) : mayBeSaid(before, entry);
  await checkSignatures(entry, signers);
  const after = before === undefined ? founded(act) : apply(before, act, version);
  after.version = version;
  after.hash = rosterEntryHash(entry);
  after.entries.push(entry);
  after.hashes.push(after.hash);
  return after;
}

function foundersKey(act: RosterAct, version: number): readonly string[] {
  if (act.kind !== "founded") throw invalid(version, "a roster begins with its founder");
  return [act.key];
}

/** The keys that have to sign an entry. @throws NexusError ROSTER_INVALID when it cannot be said by anybody */
function mayBeSaid(roster: Growing, { act, at, version }: RosterEntry): readonly string[] {
  const no = (why: string): NexusError => invalid(version, why);
  const member = (name: string): RosterOrganisation => {
    const found = roster.organisations.get(name);
    if (found === undefined) throw no(`"${name}" is no organisation of the roster`);
    return found;
  };
  const fresh = (key: string): void => {
    const owner = roster.usedKeys.get(key);
    if (owner !== undefined) throw no(`the key ${key} is that of ${owner} already, or was`);
  };
  switch (act.kind) {
    case "founded":
      throw no("a roster is founded once");
    case "invited":
      fresh(act.invitation);
      if (roster.usedNames.has(act.organisation)) throw no(`"${act.organisation}" is on the roster already, or was`);
      return [member(act.by).key];
    case "joined": {
      const invitation = roster.invitations.get(act.invitation);
      if (invitation === undefined) throw no(`there is no open invitation with the key ${act.invitation}`);
      if (invitation.organisation !== act.organisation) throw no(`the invitation is for "${invitation.organisation}", not for "${act.organisation}"`);
      if (roster.usedNames.has(act.organisation)) throw no(`"${act.organisation}" is on the roster already, or was`);
      if (Date.parse(at) > Date.parse(invitation.until)) throw no(`the invitation ended on ${invitation.until}`);
      fresh(act.key);
      return [act.invitation, act.key];
    }
    case "key-rotated":
      fresh(act.key);
      return [member(act.organisation).key, act.key];
    case "node-added": {
      const { key } = member(act.organisation);
      const present = roster.nodes.get(act.node);
      if (present !== undefined) throw no(`the node "${act.node}" is on the roster already`);
      const owner = roster.namesOf.get(act.node);
      if (owner !== undefined && owner !== act.organisation) throw no(`the name "${act.node}" is that of a node of "${owner}"`);
      // A node that was removed may come back with the key that it had; nobody else's.
      if (roster.usedKeys.get(act.key) !== ofNode(act.node)) fresh(act.key);
      return [key];
    }
    case "node-removed": {
      const node = roster.nodes.get(act.node);
      if (node === undefined || node.organisation !== act.organisation) throw no(`"${act.organisation}" has no node "${act.node}"`);
      return [member(act.organisation).key];
    }
    case "organisation-removed": {
      member(act.organisation);
      if (act.organisation === roster.founder) throw no("the founder cannot be removed");
      if (act.by !== act.organisation && act.by !== roster.founder)
        throw no(`"${act.by}" may not remove "${act.organisation}": only itself and the founder may`);
      return [member(act.by).key];
    }
  }
}

async function checkSignatures(entry: RosterEntry, signers: readonly string[]): Promise<void> {
  const { version, signatures } = entry;
  const keys = signatures.map(({ key }) => key);
  if (keys.length !== signers.length || signers.some((key, index) => keys[index] !== key))
    throw invalid(version, `it has to be signed by ${signers.join(" and ")}, and is by ${keys.join(" and ")}`);
  const bytes = rosterEntryBytes(entry);
  for (const { key, signature } of signatures) {
    if (!(await verify(hexToBytes(key), bytes, hexToBytes(signature)))) throw invalid(version, `the signature by ${key} is not over this entry`);
  }
}

function founded(act: RosterAct): Growing {
  if (act.kind !== "founded") throw invalid(1, "a roster begins with its founder");
  const { project, organisation: name, key } = act;
  const organisation = { name, key, keys: [{ key, version: 1 }], version: 1, invitedBy: undefined };
  return {
    ...{ version: 0, hash: "", project, founder: name, entries: [], hashes: [], invitations: new Map(), nodes: new Map(), formerNodes: [] },
    ...{
      organisations: new Map([[name, organisation]]),
      usedNames: new Set([name]),
      usedKeys: new Map([[key, ofOrganisation(name)]]),
      namesOf: new Map(),
    },
  };
}

/** What has been found to be sayable and signed, done. */
function apply(roster: Growing, act: RosterAct, version: number): Growing {
  const { organisations, nodes, formerNodes, invitations, usedNames, usedKeys, namesOf } = roster;
  switch (act.kind) {
    case "founded":
      break; // refused before
    case "invited":
      invitations.set(act.invitation, { organisation: act.organisation, by: act.by, until: act.until });
      usedKeys.set(act.invitation, `the invitation of ${act.organisation}`);
      break;
    case "joined": {
      const { organisation: name, key, invitation } = act;
      organisations.set(name, { name, key, keys: [{ key, version }], version, invitedBy: invitations.get(invitation)?.by });
      usedNames.add(name);
      usedKeys.set(key, ofOrganisation(name));
      // Others for the same name can no longer be used.
      for (const [other, { organisation }] of invitations) if (organisation === name) invitations.delete(other);
      break;
    }
    case "key-rotated": {
      const before = organisations.get(act.organisation)!;
      organisations.set(act.organisation, { ...before, key: act.key, keys: [...before.keys, { key: act.key, version }] });
      usedKeys.set(act.key, ofOrganisation(act.organisation));
      break;
    }
    case "node-added":
      nodes.set(act.node, { name: act.node, key: act.key, organisation: act.organisation, version });
      usedKeys.set(act.key, ofNode(act.node));
      namesOf.set(act.node, act.organisation);
      break;
    case "node-removed":
      formerNodes.push({ ...nodes.get(act.node)!, until: version });
      nodes.delete(act.node);
      break;
    case "organisation-removed":
      organisations.delete(act.organisation);
      for (const [name, node] of nodes) {
        if (node.organisation !== act.organisation) continue;
        formerNodes.push({ ...node, until: version });
        nodes.delete(name);
      }
      for (const [key, { by }] of invitations) if (by === act.organisation) invitations.delete(key);
      break;
  }
  return roster;
}

const ofNode = (name: string): string => `the node ${name}`;
const ofOrganisation = (name: string): string => `the organisation ${name}`;

function copyOf(roster: Roster): Growing {
  const known = grown.get(roster);
  if (known === undefined) throw new TypeError("a roster is made by readRoster");
  return {
    ...known,
    ...{ organisations: new Map(known.organisations), nodes: new Map(known.nodes), invitations: new Map(known.invitations) },
    ...{
      formerNodes: [...known.formerNodes],
      entries: [...known.entries],
      hashes: [...known.hashes],
      usedNames: new Set(known.usedNames),
      usedKeys: new Map(known.usedKeys),
      namesOf: new Map(known.namesOf),
    },
  };
}

function invalid(version: number, why: string): NexusError {
  return new NexusError("ROSTER_INVALID", `Entry ${version} of the roster cannot be: ${why}.`, { details: { version } });
}
