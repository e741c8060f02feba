import { sleep } from "@ciphernx/core/lifecycle";
import type { Tracer } from "@opentelemetry/api";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import manifest from "../../package.json" with { type: "json" };
import { tracingConfiguration } from "./configuration.ts";

/** Whoever waits for the end of the process waits no longer than this for spans that are still to be sent. */
const FLUSH_TIMEOUT_MS = 3_000;
const EXPORT_TIMEOUT_MS = 5_000;
/** Name under which the spans are ours: no library of others traces by this provider. */
const SCOPE = "cipher-nexus";

/** `ExportResultCode.SUCCESS` of @opentelemetry/core. */
const EXPORTED = 0;

/** Tracing of this process. Disposing sends what is left. */
export interface Tracing extends AsyncDisposable {
  /** Undefined where tracing is not configured. */
  readonly tracer: Tracer | undefined;
}

export interface TracingOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the process calls itself where OTEL_SERVICE_NAME says nothing. */
  readonly serviceName: string;
  /** Told once when spans cannot be sent. */
  readonly note: (text: string) => void;
}

/**
 * Traces to where the environment of this very process says, and nowhere else; the SDK is loaded only then. The tracer is handed on as an
 * option and is not the global one, so that libraries that trace by themselves add nothing.
 * @throws NexusError USAGE naming a variable whose value is of no use
 */
export async function startTracing({ env, serviceName, note }: TracingOptions): Promise<Tracing> {
  const configuration = tracingConfiguration(env, serviceName);
  if (configuration === undefined) return { tracer: undefined, [Symbol.asyncDispose]: async () => {} };
  const [sdk, { OTLPTraceExporter }, { resourceFromAttributes }, { AsyncLocalStorageContextManager }, { context }] = await Promise.all([
    import("@opentelemetry/sdk-trace"),
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
    import("@opentelemetry/context-async-hooks"),
    import("@opentelemetry/api"),
  ]);
  const { share, byParent } = configuration.sampler;
  const root = share === 1 ? new sdk.AlwaysOnSampler() : share === 0 ? new sdk.AlwaysOffSampler() : new sdk.TraceIdRatioBasedSampler(share);
  // Without the endpoint, which may have a password in it.
  const failed = once(() => note("Traces cannot be sent to where OTEL_EXPORTER_OTLP_ENDPOINT says; work goes on without them."));
  const exporter = telling(new OTLPTraceExporter({ timeoutMillis: EXPORT_TIMEOUT_MS }), failed);
  const provider = new sdk.TracerProvider({
    sampler: byParent ? new sdk.ParentBasedSampler({ root }) : root,
    // No name of the machine, the user or the command line.
    resource: resourceFromAttributes({ "service.name": configuration.serviceName, "service.version": manifest.version }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter, scheduledDelayMillis: 1_000, exportTimeoutMillis: EXPORT_TIMEOUT_MS })],
  });
  const manager = new AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(manager);
  return {
    tracer: provider.getTracer(SCOPE, manifest.version),
    async [Symbol.asyncDispose]() {
      context.disable();
      const done = new AbortController();
      // The other way it ends is in time.
      const late = sleep(FLUSH_TIMEOUT_MS, { signal: done.signal }).then(failed, () => {});
      // A receiver that is away was told of by the exporter.
      await Promise.race([provider.shutdown().catch(() => {}), late]).finally(() => done.abort());
    },
  };
}

/** Tells whenever spans cannot be sent; whatever is traced goes on. */
function telling(exporter: SpanExporter, failed: () => void): SpanExporter {
  return {
    export(spans: ReadableSpan[], told) {
      exporter.export(spans, (result) => {
        const code: number = result.code;
        if (code !== EXPORTED) failed();
        told(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

/** Does something the first time that it is asked for. */
function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) action();
    isDone = true;
  };
}
