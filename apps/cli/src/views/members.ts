import type { Invitation, Member } from "@ciphernx/protocol/proto";
import { type Colours, formatTable, formatTime } from "../output/index.ts";

/** A member of the project. */
export function memberData({ id, name, email, role, joinedAt, lastSeenAt, sessions }: Member) {
  return { id, name, email, role, joinedAt, lastSeenAt: lastSeenAt || null, sessions };
}

/** An invitation that is still good; never its secret. */
export function invitationData({ id, name, email, role, createdAt, expiresAt }: Invitation) {
  return { id, name: name || null, email: email || null, role, createdAt, expiresAt };
}

/** The table of members for people, and below it the invitations that are still good. */
export function formatMembers(members: readonly Member[], invitations: readonly Invitation[], { dim }: Colours): string {
  const people = formatTable(
    [
      { title: "NAME", cell: ({ name }: Member) => name },
      { title: "E-MAIL", cell: ({ email }) => email },
      { title: "ROLE", cell: ({ role }) => role },
      { title: "LAST SEEN", cell: ({ lastSeenAt }) => formatTime(lastSeenAt) },
      { title: "SESSIONS", cell: ({ sessions }) => String(sessions) },
      { title: "ID", cell: ({ id }) => id },
    ],
    members,
    "Nobody is a member yet. `nexus member link` makes a link for the first owner.",
  );
  if (invitations.length === 0) return people;
  const open = formatTable(
    [
      { title: "INVITED", cell: ({ name, email }: Invitation) => name || email || dim("anybody") },
      { title: "ROLE", cell: ({ role }) => role },
      { title: "EXPIRES", cell: ({ expiresAt }) => formatTime(expiresAt) },
      { title: "ID", cell: ({ id }) => id },
    ],
    invitations,
    "",
  );
  return `${people}\n\n${open}`;
}

/** What is said of a link that was just made. */
export function formatLink(link: string, { role, expiresAt }: Invitation): string {
  return `${link}\n\nThe link makes one person a member (${role}). It works once, until ${formatTime(expiresAt)}; it is shown here and never again.`;
}
