import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contextOf, traceparentOf } from "./trace-context.ts";

/** Of the recommendation, section 3.2.3. */
const EXAMPLE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const HEX_DIGITS = Array.from({ length: 16 }, (_, digit) => digit.toString(16));

describe("W3C trace context, section 3.2", () => {
  it("reads the examples of section 3.2.3", () => {
    const expected = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", isRemote: true };
    expect(trace.getSpanContext(contextOf(EXAMPLE))).toEqual({ ...expected, traceFlags: 1 });
    expect(trace.getSpanContext(contextOf(EXAMPLE.replace(/01$/, "00")))).toEqual({ ...expected, traceFlags: 0 });
  });

  it.each([
    ["none", ""],
    ["another version", EXAMPLE.replace(/^00/, "01")],
    ["the forbidden version", EXAMPLE.replace(/^00/, "ff")],
    ["capitals", EXAMPLE.toUpperCase()],
    ["a trace id of zeros", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`],
    ["a span id of zeros", `00-4bf92f3577b34da6a3ce929d0e0e4736-${"0".repeat(16)}-01`],
    ["more after it", `${EXAMPLE}-more`],
    ["a line's end", `${EXAMPLE}\n`],
    ["a huge one", EXAMPLE.repeat(100_000)],
    ["letters that are no hexadecimal digits", EXAMPLE.replaceAll("4", "g")],
  ])("ignores %s", (_, traceparent) => {
    expect(contextOf(traceparent)).toBe(ROOT_CONTEXT);
  });

  it("reads what it writes", () => {
    const hex = (length: number) =>
      fc.string({ unit: fc.constantFrom(...HEX_DIGITS), minLength: length, maxLength: length }).filter((text) => !/^0+$/.test(text));
    fc.assert(
      fc.property(hex(32), hex(16), fc.constantFrom(0, 1), (traceId, spanId, traceFlags) => {
        const written = traceparentOf(trace.wrapSpanContext({ traceId, spanId, traceFlags }));
        expect(trace.getSpanContext(contextOf(written ?? ""))).toEqual({ traceId, spanId, traceFlags, isRemote: true });
      }),
    );
    expect(traceparentOf(trace.wrapSpanContext({ traceId: "", spanId: "", traceFlags: 0 }))).toBeUndefined();
  });
});
