/**
 * The one field of W3C Trace Context (https://www.w3.org/TR/trace-context/, section 3.2, version 00) that travels with a task. What comes from a
 * coordinator is not trusted: anything but a plain version 00 is no context, and there is no `tracestate`.
 *
 * @module
 */
import { type Context, isSpanContextValid, ROOT_CONTEXT, type Span, trace, TraceFlags } from "@opentelemetry/api";

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const LENGTH = 55;

/** A span as a `traceparent`; undefined when nothing records it anywhere. */
export function traceparentOf(span: Span): string | undefined {
  const context = span.spanContext();
  if (!isSpanContextValid(context)) return undefined;
  const { traceId, spanId, traceFlags } = context;
  return `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED) === 0 ? "00" : "01"}`;
}

/** Where the spans of a task hang: below the span that a `traceparent` names, or by themselves when it is none. */
export function contextOf(traceparent: string): Context {
  const [, traceId, spanId, flags] = (traceparent.length === LENGTH ? TRACEPARENT.exec(traceparent) : null) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT;
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
  return isSpanContextValid(context) ? trace.setSpanContext(ROOT_CONTEXT, context) : ROOT_CONTEXT;
}
