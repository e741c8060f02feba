import { create } from "@bufbuild/protobuf";
import { retrying } from "@ciphernx/core/store";
import { type ControlService, InvitationSchema, MemberSchema } from "@ciphernx/protocol/proto";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { CoordinatorContext } from "./context.ts";
import { callerActor } from "./guarded.ts";
import type { Deciding } from "./nodes.ts";
import { invite, type InvitationRow, listMembers, type MemberRow, openInvitations, removeMember, setMemberRole } from "./people/index.ts";

type MemberCalls = Pick<ServiceImpl<typeof ControlService>, "inviteMember" | "listMembers" | "setMemberRole" | "removeMember">;

/** What an owner may say about the people of the project. */
export function memberService(context: CoordinatorContext): MemberCalls {
  const { store, access, projectId, invitationLinks, log } = context;
  const deciding = (call: HandlerContext): Deciding => ({ projectId, actor: callerActor(call) });
  return {
    async inviteMember(request, call) {
      const { row, secret } = await retrying(() => invite(context, deciding(call), request), { signal: call.signal });
      log.info({ invitation: row.id, role: row.role, expiresAt: row.expiresAt }, "invitation made");
      const links = invitationLinks(secret);
      return { invitation: invitationMessage(row), localLink: links.local, publicLink: links.public ?? "" };
    },
    async listMembers(_, { signal }) {
      const [members, invitations] = await retrying(() => Promise.all([listMembers(store, projectId), openInvitations(store, projectId)]), {
        signal,
      });
      return { members: members.map(memberMessage), invitations: invitations.map(invitationMessage) };
    },
    async setMemberRole({ member, role }, call) {
      const change = { idOrEmail: member, word: role };
      const row = await retrying(() => setMemberRole(context, deciding(call), change, access.endCalls), { signal: call.signal });
      log.info({ user: row.userId, role: row.role }, "role of a member set");
      return { member: memberMessage(row) };
    },
    async removeMember({ member }, call) {
      const removed = await retrying(() => removeMember(context, deciding(call), member, access.endCalls), { signal: call.signal });
      log.info({ user: removed.member?.userId, invitation: removed.invitation?.id }, "member or invitation removed");
      return {
        ...(removed.member === undefined ? {} : { member: memberMessage({ ...removed.member, sessions: 0, lastSeenAt: null }) }),
        ...(removed.invitation === undefined ? {} : { invitation: invitationMessage(removed.invitation) }),
      };
    },
  };
}

function memberMessage({ userId, name, email, role, joinedAt, lastSeenAt, sessions }: MemberRow) {
  return create(MemberSchema, {
    ...{ id: userId, name, email, role, sessions },
    joinedAt: joinedAt.toISOString(),
    lastSeenAt: lastSeenAt?.toISOString() ?? "",
  });
}

function invitationMessage({ id, name, email, role, createdAt, expiresAt }: InvitationRow) {
  return create(InvitationSchema, {
    ...{ id, role, name: name ?? "", email: email ?? "" },
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  });
}
