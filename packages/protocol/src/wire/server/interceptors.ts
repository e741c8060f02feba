/** What is done around the handler of every RPC, whatever carries it. @module */
import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { bearerToken } from "../bearer.ts";
import { fromConnectError } from "../error-detail.ts";
import { signerKey } from "./signed-requests.ts";
import { tlsPeerKey, type WireCall } from "./tls-peer.ts";

/** A call that was answered. */
export interface CallObservation {
  /** `Service/Method`, without the package. */
  readonly method: string;
  /** Code of the error, `ok` without one. */
  readonly code: string;
  readonly seconds: number;
}

/** Tells of calls when they have been answered. */
export function observation(observe: (call: CallObservation) => void): Interceptor {
  return (next) => async (request) => {
    const startedAt = performance.now();
    const method = `${request.service.name}/${request.method.name}`;
    const tell = (code: string): void => observe({ method, code, seconds: (performance.now() - startedAt) / 1000 });
    try {
      const response = await next(request);
      tell("ok");
      return response;
    } catch (error) {
      tell(error instanceof ConnectError ? fromConnectError(error).code : "INTERNAL");
      throw error;
    }
  };
}

/** Lets calls in, or not, before their handlers. */
export function admission(admit: (call: WireCall) => void): Interceptor {
  return (next) => (request) => {
    const { contextValues, service, method, header } = request;
    const [peer, signedBy] = [contextValues.get(tlsPeerKey), contextValues.get(signerKey)];
    admit({ peer, path: `/${service.typeName}/${method.name}`, token: bearerToken(header.get("authorization") ?? undefined), signedBy });
    return next(request);
  };
}
