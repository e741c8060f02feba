import { describe, expect, it } from "vitest";
import { tracingConfiguration } from "./configuration.ts";

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" };
const read = (env: Readonly<Record<string, string>>) => tracingConfiguration(env, "nexus-node");

describe("the environment variables of tracing", () => {
  it.each([
    ["nothing is set", {}],
    ["the endpoint is empty", { OTEL_EXPORTER_OTLP_ENDPOINT: "" }],
    ["the exporter is none", { ...ENDPOINT, OTEL_TRACES_EXPORTER: "none" }],
    ["the SDK is disabled", { ...ENDPOINT, OTEL_SDK_DISABLED: "TRUE" }],
    ["only a name is set", { OTEL_SERVICE_NAME: "clinic-a" }],
  ])("trace nothing where %s", (_, env) => {
    expect(read(env)).toBeUndefined();
  });

  it("name the service, and sample as the specification says", () => {
    expect(read(ENDPOINT)).toEqual({ serviceName: "nexus-node", sampler: { byParent: true, share: 1 } });
    expect(read({ OTEL_TRACES_EXPORTER: "otlp", OTEL_SERVICE_NAME: "clinic-a", OTEL_TRACES_SAMPLER: "always_off" })).toEqual({
      ...{ serviceName: "clinic-a", sampler: { byParent: false, share: 0 } },
    });
    const ratio = { ...ENDPOINT, OTEL_TRACES_SAMPLER: "parentbased_traceidratio" };
    expect(read({ ...ratio, OTEL_TRACES_SAMPLER_ARG: "0.25" })?.sampler).toEqual({ byParent: true, share: 0.25 });
    expect(read(ratio)?.sampler).toEqual({ byParent: true, share: 1 });
  });

  it.each([
    ["OTEL_TRACES_EXPORTER", { OTEL_TRACES_EXPORTER: "zipkin" }],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", { OTEL_EXPORTER_OTLP_ENDPOINT: "file:///secret" }],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", { OTEL_EXPORTER_OTLP_ENDPOINT: "secret" }],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }],
    ["OTEL_TRACES_SAMPLER", { ...ENDPOINT, OTEL_TRACES_SAMPLER: "sometimes" }],
    ["OTEL_TRACES_SAMPLER_ARG", { ...ENDPOINT, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" }],
  ])("refuse a %s that is of no use, without repeating it", (name, env) => {
    expect(() => read(env)).toThrow(expect.objectContaining({ code: "USAGE", message: expect.stringContaining(name) as string }));
    expect(() => read(env)).not.toThrow(/secret/);
  });
});
