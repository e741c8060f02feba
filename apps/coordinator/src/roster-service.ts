import { NexusError } from "@ciphernx/core/errors";
import type { Roster } from "@ciphernx/core/roster";
import { retrying } from "@ciphernx/core/store";
import { verify } from "@ciphernx/crypto/keys";
import type { RosterService } from "@ciphernx/protocol/proto";
import { callerAddress, readingBytes } from "@ciphernx/protocol/wire";
import type { ServiceImpl } from "@connectrpc/connect";
import type { CoordinatorContext } from "./context.ts";

/** How old a signature for a reading may be, and how far ahead its clock. */
const READING_TOLERANCE_MS = 5 * 60_000;

/** What organisations say, and nodes that want to know who the others are. Each message proves who sends it. */
export function rosterService(context: CoordinatorContext): ServiceImpl<typeof RosterService> {
  const { roster, access, projectId } = context;
  return {
    async readRoster({ after, key, atUnixMs, signature }, call) {
      return access.attempt(callerAddress(call), async () => {
        const known = await retrying(() => roster.read());
        if (known === undefined) throw new NexusError("ROSTER_NOT_FOUND", `The project ${projectId} has no roster.`);
        const reader = Buffer.from(key).toString("hex");
        const recent = Math.abs(Number(atUnixMs) - Date.now()) <= READING_TOLERANCE_MS;
        if (!recent || !mayRead(known, reader) || !(await verify(key, readingBytes({ projectId, atUnixMs, after }), signature))) {
          throw new NexusError(
            "ROSTER_INVITATION_INVALID",
            "The roster is shown to its organisations, their nodes, and holders of an open invitation.",
            {
              hint: recent
                ? "Ask a member for a new invitation: `nexus org invite NAME`."
                : "The clock of this machine is more than five minutes off. Set it, then run the command again.",
            },
          );
        }
        return { entries: await retrying(() => roster.entriesAfter(after)) };
      });
    },
    async appendEntry({ entry }, call) {
      await access.attempt(callerAddress(call), () => appendEntry(context, entry));
      return {};
    },
  };
}

function mayRead(roster: Roster, key: string): boolean {
  if (roster.invitations.has(key)) return true;
  for (const organisation of roster.organisations.values()) if (organisation.key === key) return true;
  for (const node of roster.nodes.values()) if (node.key === key) return true;
  return false;
}

/** Takes an entry in, and ends what nodes that it removes have under way. */
export async function appendEntry(context: CoordinatorContext, text: string, options?: { readonly founds: boolean }): Promise<void> {
  const { roster, sessions, waiters, log } = context;
  const removed = await retrying(() => roster.append(text, options));
  for (const nodeId of removed) {
    sessions.end(nodeId);
    context.hangUp(nodeId);
  }
  // Nodes that wait hear of it: they look at the roster before their owners approve anything more.
  waiters.wakeAll();
  log.info({ removed }, "the roster has another entry");
}
