import type { DescService } from "@bufbuild/protobuf";
import { RPC_PERMISSIONS } from "@ciphernx/protocol/permissions";
import { callerAddress, callerToken } from "@ciphernx/protocol/wire";
import { createContextKey, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { NexusError } from "@ciphernx/core/errors";
import type { Access } from "./access.ts";

/** Who makes a call, as the audit log names them. */
const actorKey = createContextKey("anyone", { description: "who makes the call" });

/** Who makes a call that was let in: `owner`, `token ID`, `node ID`. */
export function callerActor(call: Pick<HandlerContext, "values">): string {
  return call.values.get(actorKey);
}

type Handler = (request: unknown, call: HandlerContext) => Promise<unknown>;

/**
 * A service whose every method first asks whether the caller may, whichever transport the call came over. A call that waits ends when
 * what it came with is revoked.
 * @throws NexusError INTERNAL when a method has no row in the table of permissions
 */
export function guarded<Service extends DescService>(service: Service, handlers: ServiceImpl<Service>, access: Access): ServiceImpl<Service> {
  const rows = RPC_PERMISSIONS[service.typeName];
  const entries = service.methods.map(({ name, localName, methodKind }) => {
    const callers = rows?.[localName];
    if (callers === undefined) throw new NexusError("INTERNAL", `${service.typeName}.${name} has no row in the table of permissions.`);
    if (methodKind !== "unary") throw new NexusError("INTERNAL", `${service.typeName}.${name} is a stream; only single calls are guarded.`);
    // Every method of these services is unary, as was checked.
    const handler = handlers[localName as keyof typeof handlers] as Handler;
    const guardedHandler: Handler = async (request, call) => {
      using admitted = await access.admit({
        ...{ call: name, callers, token: callerToken(call), address: callerAddress(call), signal: call.signal },
      });
      call.values.set(actorKey, admitted.actor);
      if (admitted.revoked === undefined) return await handler(request, call);
      return await handler(request, { ...call, signal: AbortSignal.any([call.signal, admitted.revoked]) });
    };
    return [localName, guardedHandler] as const;
  });
  return Object.fromEntries(entries) as ServiceImpl<Service>;
}
