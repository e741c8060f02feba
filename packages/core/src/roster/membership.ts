import type { Roster, RosterHead, RosterNode, RosterOrganisation } from "./roster.ts";

/** Whether a roster is what it was at a head, or went on from there. */
export function extendsHead(roster: Roster, { version, hash }: RosterHead): boolean {
  return roster.hashes[version - 1] === hash;
}

/** Whether an organisation that has now a place on the roster had it at an earlier version, too. */
export function wasMember(organisation: RosterOrganisation | undefined, version: number): organisation is RosterOrganisation {
  return organisation !== undefined && organisation.version <= version;
}

/** The nodes that were on a roster at an earlier version, by name, also those that were removed since. */
export function nodesAt(roster: Roster, version: number): ReadonlyMap<string, RosterNode> {
  const past = roster.formerNodes.filter((node) => node.version <= version && (node.until ?? 0) > version);
  const present = [...roster.nodes.values()].filter((node) => node.version <= version);
  return new Map([...past, ...present].map((node) => [node.name, node]));
}

/** The key that an organisation had at a version; undefined before it was a member. */
export function keyAt(organisation: RosterOrganisation, version: number): string | undefined {
  return organisation.keys.findLast((since) => since.version <= version)?.key;
}
