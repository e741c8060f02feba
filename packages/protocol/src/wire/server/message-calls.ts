/**
 * Unary calls of the Connect protocol over carriers of our own: what WebSockets carry, and requests that are signed.
 *
 * The library's handlers can serve any carrier, and pay for it with four abort controllers, four sets of headers, a URL and a dozen promises
 * for as long as a call lasts. Most of a coordinator's calls wait for a task, thousands at a time: here each keeps one controller and one set of headers.
 *
 * Source: connectrpc.com/docs/protocol, "Unary-Request" and "Unary-Response".
 *
 * @module
 */
import {
  create,
  type DescMethod,
  type DescMethodUnary,
  fromBinary,
  fromJsonString,
  type MessageInitShape,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  type HandlerContext,
  type Interceptor,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { createMethodUrl } from "@connectrpc/connect/protocol";
import { codeToHttpStatus, errorToJson, parseContentType, parseTimeout } from "@connectrpc/connect/protocol-connect";
import { NexusError } from "@ciphernx/core/errors";
import { fromConnectError } from "../error-detail.ts";
import type { Fields } from "../exchange.ts";
import { MAX_MESSAGE_BYTES } from "../limits.ts";
import { wholeBody } from "../whole-body.ts";
import { httpAnswer } from "./http-errors.ts";
import { unreadableMessage } from "./named-errors.ts";

/** A call as its carrier brings it. */
export interface MessageCall {
  readonly method: string;
  readonly headers: Fields;
  /** Read before the handler begins: a call whose body cannot be read is refused as any other. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** The carrier aborts it when the caller has gone, the deadline and the end of the server do as well. */
  readonly aborting: AbortController;
  readonly values: ContextValues;
}

/** The answer, which is one message or an error. */
export interface MessageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The unary RPCs of a server. */
export interface MessageCalls {
  /** The RPC at a path; undefined where there is none. Its promise rejects with what keeps the body from being read. */
  at(path: string): ((call: MessageCall) => Promise<MessageAnswer>) | undefined;
  /** Ends the calls under way, and those to come at once. */
  end(reason: Error): void;
}

export interface MessageCallsOptions {
  readonly interceptors: readonly Interceptor[];
  /** Longest deadline that a caller may set. */
  readonly maxTimeoutMs: number;
}

type Implementation = (message: UnaryRequest["message"], context: HandlerContext) => object | Promise<object>;
type Invoke = ReturnType<Interceptor>;

export function messageCalls(routes: (router: ConnectRouter) => void, { interceptors, maxTimeoutMs }: MessageCallsOptions): MessageCalls {
  const handlers = new Map<string, (call: MessageCall) => Promise<MessageAnswer>>();
  const active = new Set<AbortController>();
  let ended: Error | undefined;

  const handler = (method: DescMethodUnary, path: string, invoke: Invoke) => async (call: MessageCall) => {
    const { aborting } = call;
    const refused = refusal(call);
    if (refused !== undefined) return refused;
    const isBinary = contentType(call) === BINARY["content-type"];
    const bytes = call.body instanceof Uint8Array ? call.body : await wholeBody(call.body);
    let deadline: ReturnType<typeof setTimeout> | undefined;
    active.add(aborting);
    try {
      const { timeoutMs, error } = parseTimeout(call.headers["connect-timeout-ms"] ?? null, maxTimeoutMs);
      if (error !== undefined) throw error;
      if (timeoutMs !== undefined) deadline = setTimeout(() => aborting.abort(timedOut()), timeoutMs);
      if (ended !== undefined) aborting.abort(ended);
      const { message } = await invoke({
        ...{ stream: false, service: method.parent, method, requestMethod: "POST", url: path, signal: aborting.signal },
        ...{ header: headersOf(call.headers), contextValues: call.values, message: parsed(method, bytes, isBinary) },
      });
      const output = message as UnaryResponse["message"];
      const body = isBinary ? toBinary(method.output, output) : new TextEncoder().encode(toJsonString(method.output, output));
      if (body.length > MAX_MESSAGE_BYTES)
        throw new ConnectError(`The answer has ${body.length} bytes; ${MAX_MESSAGE_BYTES} are the most.`, Code.ResourceExhausted);
      return { status: 200, headers: isBinary ? BINARY : JSON_TEXT, body };
    } catch (error) {
      return errorAnswer(error);
    } finally {
      clearTimeout(deadline);
      active.delete(aborting);
    }
  };

  routes(
    unaryRouter((method, implementation) => {
      const path = createMethodUrl("/", method);
      const invoke = interceptors.reduceRight((next, intercept) => intercept(next), implemented(implementation));
      handlers.set(path, handler(method, path, invoke));
    }),
  );

  return {
    at: (path) => handlers.get(path),
    end(reason) {
      ended = reason;
      for (const aborting of active) aborting.abort(reason);
    },
  };
}

const BINARY = { "content-type": "application/proto" };
const JSON_TEXT = { "content-type": "application/json" };

/** Takes services in; the library's own router gives their implementations out inside of handlers alone. */
function unaryRouter(add: (method: DescMethodUnary, implementation: Implementation) => void): ConnectRouter {
  const router: ConnectRouter = {
    handlers: [],
    service(service, implementation) {
      for (const method of service.methods) {
        if (method.methodKind !== "unary") continue;
        const own = implementation[method.localName as keyof typeof implementation] as Implementation | undefined;
        add(method as DescMethodUnary, own?.bind(implementation) ?? unimplemented(method));
      }
      return router;
    },
    rpc: () => {
      throw new Error("RPCs are registered by their services.");
    },
  };
  return router;
}

function unimplemented({ parent, name }: DescMethod): Implementation {
  return () => {
    throw new ConnectError(`${parent.typeName}.${name} is not implemented`, Code.Unimplemented);
  };
}

/** The innermost of the interceptors: calls the implementation. */
function implemented(implementation: Implementation): Invoke {
  return async (request) => {
    const { service, method, requestMethod, url, signal, header, contextValues: values, message } = request as UnaryRequest;
    const output = await implementation(message, {
      ...{ service, method, requestMethod, url, signal, requestHeader: header, values },
      ...{ responseHeader: NO_FIELDS, responseTrailer: NO_FIELDS, protocolName: "connect", timeoutMs: noDeadline },
    });
    return {
      ...{ stream: false, service, method, message: create(method.output, output as MessageInitShape<typeof method.output>) },
      ...{ header: NO_FIELDS, trailer: NO_FIELDS },
    };
  };
}

/** Whoever sets a field throws (Fetch, §5.1, the guard "immutable"): answers say all they have to say in their messages. */
const NO_FIELDS = Response.error().headers;

/** The signal tells when it has passed. */
function noDeadline(): undefined {
  return undefined;
}

/** What the library answers before it reads a body. */
function refusal(call: MessageCall): MessageAnswer | undefined {
  const refused = (status: number, text: string, details: Readonly<Record<string, unknown>> = {}): MessageAnswer => ({
    ...named(new NexusError("MESSAGE_INVALID", text, { details })),
    status,
  });
  if (call.method !== "POST") return refused(405, `A call is a POST, not a ${call.method.slice(0, 20)}.`, { allow: "POST" });
  const encoding = call.headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") return refused(415, "The message of a call comes uncompressed.");
  const type = contentType(call);
  if (type !== undefined) return undefined;
  return refused(415, "The message of a call is application/proto or application/json.");
}

function contentType({ headers }: MessageCall): "application/proto" | "application/json" | undefined {
  const type = parseContentType(headers["content-type"] ?? null);
  if (type === undefined || type.stream) return undefined;
  return type.binary ? "application/proto" : "application/json";
}

function parsed(method: DescMethodUnary, bytes: Uint8Array, isBinary: boolean): UnaryRequest["message"] {
  try {
    if (isBinary) return fromBinary(method.input, bytes);
    return fromJsonString(method.input, new TextDecoder("utf-8", { fatal: true }).decode(bytes), { ignoreUnknownFields: true });
  } catch (cause) {
    throw unreadableMessage(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function headersOf(fields: Fields): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined && !name.startsWith(":")) headers.set(name, value);
  return headers;
}

function timedOut(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}

function errorAnswer(error: unknown): MessageAnswer {
  if (error instanceof NexusError) return named(error);
  const known = error instanceof ConnectError ? error : new ConnectError("The call failed.", Code.Internal, undefined, undefined, error);
  // A deadline that has passed, a method that is not implemented.
  if (known.details.length === 0) return named(fromConnectError(known));
  const headers = { ...JSON_TEXT, ...Object.fromEntries(known.metadata) };
  return { status: codeToHttpStatus(known.code), headers, body: new TextEncoder().encode(JSON.stringify(errorToJson(known, undefined))) };
}

function named(error: NexusError): MessageAnswer {
  const { status, headers, body } = httpAnswer(error);
  return { status, headers: { ...headers, ...JSON_TEXT }, body: new TextEncoder().encode(body) };
}
