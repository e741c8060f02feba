import { NexusError } from "@ciphernx/core/errors";

/** What the standard environment variables of OpenTelemetry say of traces. */
export interface TracingConfiguration {
  readonly serviceName: string;
  readonly sampler: Sampling;
}

/** Which rounds are traced: a share of those that begin here; `byParent`: of those that begin elsewhere, the ones that are traced there. */
export interface Sampling {
  /** 0 to 1. */
  readonly share: number;
  readonly byParent: boolean;
}

/** Values of OTEL_TRACES_SAMPLER, by the specification of OpenTelemetry's environment variables. */
const SAMPLERS: Readonly<Record<string, { readonly byParent: boolean; readonly share: number | "argument" }>> = {
  always_on: { byParent: false, share: 1 },
  always_off: { byParent: false, share: 0 },
  traceidratio: { byParent: false, share: "argument" },
  parentbased_always_on: { byParent: true, share: 1 },
  parentbased_always_off: { byParent: true, share: 0 },
  parentbased_traceidratio: { byParent: true, share: "argument" },
};

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * How this process is to trace; undefined when it is not: without an endpoint of OTLP, or where OTEL_TRACES_EXPORTER or OTEL_SDK_DISABLED say so.
 * @throws NexusError USAGE naming a variable whose value is of no use
 */
export function tracingConfiguration(env: Environment, defaultServiceName: string): TracingConfiguration | undefined {
  const value = (name: string): string | undefined => (env[name]?.trim() === "" ? undefined : env[name]?.trim());
  const exporter = value("OTEL_TRACES_EXPORTER");
  const endpoint = value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") ?? value("OTEL_EXPORTER_OTLP_ENDPOINT");
  if (exporter === "none" || value("OTEL_SDK_DISABLED")?.toLowerCase() === "true") return undefined;
  if (exporter !== undefined && exporter !== "otlp") throw unusable("OTEL_TRACES_EXPORTER", "otlp or none");
  if (endpoint === undefined && exporter === undefined) return undefined;
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? ""))
    throw unusable("OTEL_EXPORTER_OTLP_ENDPOINT", "an address such as http://127.0.0.1:4318");
  const protocol = value("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") ?? value("OTEL_EXPORTER_OTLP_PROTOCOL");
  if (protocol !== undefined && protocol !== "http/json") throw unusable("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json");
  return { serviceName: value("OTEL_SERVICE_NAME") ?? defaultServiceName, sampler: sampling(value) };
}

function sampling(value: (name: string) => string | undefined): Sampling {
  const sampler = SAMPLERS[value("OTEL_TRACES_SAMPLER") ?? "parentbased_always_on"];
  if (sampler === undefined) throw unusable("OTEL_TRACES_SAMPLER", `one of ${Object.keys(SAMPLERS).join(", ")}`);
  const { byParent, share } = sampler;
  if (share !== "argument") return { byParent, share };
  const argument = Number(value("OTEL_TRACES_SAMPLER_ARG") ?? "1");
  if (!(argument >= 0 && argument <= 1)) throw unusable("OTEL_TRACES_SAMPLER_ARG", "a share between 0 and 1");
  return { byParent, share: argument };
}

/** The value itself is not repeated: an endpoint may have a password in it. */
function unusable(name: string, wanted: string): NexusError {
  return new NexusError("USAGE", `The environment variable ${name} is not ${wanted}.`, { hint: "Set it otherwise, or unset it to trace nothing." });
}
