import { inProcessTransport } from "./in-process.ts";
import { transportCompliance } from "./transport.compliance.ts";

transportCompliance("in-process", async (options) => ({
  connect: (token) => inProcessTransport({ ...options, token }),
  [Symbol.asyncDispose]: async () => {},
}));
