/** What a node makes of the roster that it is shown, wherever it keeps whose node it is. @module */
import { NexusError } from "@ciphernx/core/errors";
import { extendsHead, type Roster, type RosterHead } from "@ciphernx/core/roster";
import type { SigningKey } from "@ciphernx/crypto/keys";
import type { Transport } from "@ciphernx/protocol/wire";
import { rosterAccess } from "../organisation/roster-access.ts";

/** Whose node this is: what a node goes by when it is shown a roster. Written by whoever owns it, never by a coordinator. */
export interface RosterAnchor {
  /** The organisation whose node this is. */
  readonly organisation: string;
  /** A key (hex) that it has or had; what the roster says of it has to begin there. */
  readonly key: string;
  /** The project's id. */
  readonly project: string;
}

/** The roster as a node goes by it: what a coordinator shows has to be signed, to go on from what was seen before, and to have the node's own organisation. */
export interface NodeRoster {
  /**
   * The roster, at least as long as `head` says.
   * @throws NexusError ROSTER_INVALID, ROSTER_FORKED, NOT_ON_ROSTER; of the connection
   */
  follow(transport: Pick<Transport, "rpc">, head?: RosterHead): Promise<Roster>;
}

/** What {@link followRoster} goes by, and where it keeps. */
export interface FollowedRoster {
  readonly anchor: RosterAnchor;
  /** The node's own, by which it may read. */
  readonly key: SigningKey;
  /** The roster as it was kept last, verified. */
  readonly known: Roster | undefined;
  keep(roster: Roster): Promise<void>;
}

/** A roster that is held against the one that was kept last. */
export function followRoster({ anchor, key, known: first, keep }: FollowedRoster): NodeRoster {
  let known = first;
  let isFresh = false;

  const check = (roster: Roster): void => {
    if (roster.project !== anchor.project)
      throw new NexusError("ROSTER_FORKED", `The coordinator shows the roster of the project ${roster.project}, not of ${anchor.project}.`);
    const own = roster.organisations.get(anchor.organisation);
    if (own?.keys.some((since) => since.key === anchor.key) === true) return;
    throw new NexusError(
      "NOT_ON_ROSTER",
      `"${anchor.organisation}", whose node this is, is ${own === undefined ? "not on the roster" : "on the roster with another key"} (entry ${roster.version}).`,
    );
  };

  return {
    async follow(transport, head) {
      if (known === undefined || !isFresh || head === undefined || known.version < head.version) {
        const roster = await rosterAccess(transport, { project: anchor.project, keys: [key] }).read(known);
        check(roster);
        if (known?.hash !== roster.hash) await keep(roster);
        [known, isFresh] = [roster, true];
      }
      if (head !== undefined && !extendsHead(known, head)) throw forked(known, head);
      return known;
    },
  };
}

function forked(roster: Roster, seen: RosterHead): NexusError {
  return new NexusError(
    "ROSTER_FORKED",
    `The roster with ${roster.version} entries that the coordinator shows does not go through entry ${seen.version} with the hash ${seen.hash}.`,
    {
      details: { seen, shown: { version: roster.version, hash: roster.hash } },
    },
  );
}
