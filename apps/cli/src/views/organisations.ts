import type { Roster, RosterOrganisation } from "@ciphernx/core/roster";
import { formatTable } from "../output/index.ts";

/** A roster for programs. */
export function rosterData({ project, version, hash, founder, organisations, nodes, invitations }: Roster) {
  return {
    ...{ project, version, hash, founder },
    organisations: [...organisations.values()].map(({ name, key, version: since, invitedBy }) => ({
      ...{ name, key, since, invitedBy: invitedBy ?? null },
      nodes: [...nodes.values()]
        .filter(({ organisation }) => organisation === name)
        .map(({ name: node, key: nodeKey }) => ({ name: node, key: nodeKey })),
    })),
    invitations: [...invitations.values()],
  };
}

/** Who is on a roster, for people. */
export function formatRoster({ version, hash, organisations, nodes, invitations }: Roster): string {
  const nodesOf = (name: string): string => {
    const names = [...nodes.values()].filter(({ organisation }) => organisation === name).map((node) => node.name);
    return names.length === 0 ? "none" : names.toSorted().join(", ");
  };
  const table = formatTable(
    [
      { title: "ORGANISATION", cell: ({ name }: RosterOrganisation) => name },
      { title: "NODES", cell: ({ name }) => nodesOf(name) },
      { title: "INVITED BY", cell: ({ invitedBy }) => invitedBy ?? "(founder)" },
      { title: "KEY", cell: ({ key }) => formatKey(key) },
    ],
    [...organisations.values()],
    "",
  );
  const open = [...invitations.values()].map(
    ({ organisation, by, until }) => `${by} has invited ${organisation}, until ${until.slice(0, 16).replace("T", " ")}.`,
  );
  return [table, ...open, `Entry ${version}, hash ${hash}.`].join("\n");
}

/** A public key as people compare it: in groups of eight digits. */
export function formatKey(key: string): string {
  return key.replaceAll(/.{8}(?=.)/g, "$& ");
}
