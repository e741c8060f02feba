import { NexusError } from "@ciphernx/core/errors";
import { type Context, context, type Span, SpanKind, SpanStatusCode, trace, type Tracer } from "@opentelemetry/api";
import { allowedAttributes, type SpanAttributes } from "./attributes.ts";

/** What a span is of, and where it hangs. */
export interface SpanOptions {
  readonly attributes?: SpanAttributes;
  /** `client` and `server`: the two ends of one call. Default: work within the process. */
  readonly kind?: "internal" | "client" | "server";
  /** Default: the span that is active. */
  readonly parent?: Context;
}

const KINDS = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT, server: SpanKind.SERVER } as const;

/** Begins a span; whoever calls ends it. */
export function beginSpan(tracer: Tracer, name: string, { attributes = {}, kind = "internal", parent = context.active() }: SpanOptions = {}): Span {
  return tracer.startSpan(name, { kind: KINDS[kind], attributes: allowedAttributes(attributes) }, parent);
}

/** What the conventions call an error without a code. */
const OTHER_ERROR = "_OTHER";

/** Marks a span as failed, by the code alone: messages may tell of data. */
export function markFailed(span: Span, error: unknown): void {
  span.setAttributes(allowedAttributes({ "error.type": error instanceof NexusError ? error.code : OTHER_ERROR } satisfies SpanAttributes));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Does some work within a span, which ends with it, marked when it throws. Without a tracer it only does the work. */
export async function inSpan<T>(
  tracer: Tracer | undefined,
  name: string,
  options: SpanOptions,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  if (tracer === undefined) return work(undefined);
  return within(beginSpan(tracer, name, options), options.parent, work);
}

/** Does some work within a span that has begun, and ends it. */
export async function within<T>(span: Span, parent: Context | undefined, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    return await context.with(trace.setSpan(parent ?? context.active(), span), work, undefined, span);
  } catch (error) {
    markFailed(span, error);
    throw error;
  } finally {
    span.end();
  }
}
