import { type ConnectRouter, type ConnectRouterOptions, createConnectRouter } from "@connectrpc/connect";
import type { UniversalHandlerFn } from "@connectrpc/connect/protocol";
import { namingErrors } from "./named-errors.ts";

/** The RPCs of a server. */
export interface RpcCalls {
  /** By the path of the request. */
  readonly handlers: ReadonlyMap<string, UniversalHandlerFn>;
  /** Ends the calls under way, and those to come at once. */
  end(reason: Error): void;
}

/**
 * Gives each call a signal of its own that ends with the server. Calls that listened to one signal of the server would have the list of all of
 * its listeners walked for each one that comes and goes: with thousands of nodes that wait, most of the processor's time.
 */
export function rpcCalls(routes: (router: ConnectRouter) => void, options: ConnectRouterOptions): RpcCalls {
  const router = createConnectRouter(options);
  routes(router);
  const calls = new Set<AbortController>();
  let ended: Error | undefined;

  const endable =
    (handler: UniversalHandlerFn): UniversalHandlerFn =>
    async (request) => {
      const call = new AbortController();
      const over = (): void => {
        calls.delete(call);
        request.signal.removeEventListener("abort", onAbort);
      };
      const onAbort = (): void => {
        over();
        call.abort(request.signal.reason);
      };
      calls.add(call);
      request.signal.addEventListener("abort", onAbort, { once: true });
      if (request.signal.aborted) onAbort();
      if (ended !== undefined) call.abort(ended);
      try {
        const answer = await handler({ ...request, signal: call.signal });
        if (answer.body === undefined) over();
        return answer.body === undefined ? answer : { ...answer, body: toTheEnd(answer.body, over) };
      } catch (error) {
        over();
        throw error;
      }
    };

  return {
    handlers: new Map(router.handlers.map((handler) => [handler.requestPath, endable(namingErrors(handler))])),
    end(reason) {
      ended = reason;
      for (const call of calls) call.abort(reason);
    },
  };
}

async function* toTheEnd(body: AsyncIterable<Uint8Array>, over: () => void): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } finally {
    over();
  }
}
