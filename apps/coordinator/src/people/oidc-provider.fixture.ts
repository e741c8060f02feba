/** Starts the OpenID provider of tests, a process of its own. @module */
import { spawn } from "node:child_process";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface TestOidcProvider extends AsyncDisposable {
  readonly issuer: string;
  /** Signs whoever comes from now on in as the person of these claims. */
  readonly setNext: (claims: object) => Promise<void>;
}

export async function startOidcProvider(redirectUri: string, clientSecret: string): Promise<TestOidcProvider> {
  const program = fileURLToPath(new URL("oidc-provider.fixture.mjs", import.meta.url));
  const child = spawn(process.execPath, [program, redirectUri, clientSecret], { stdio: ["ignore", "pipe", "ignore"] });
  const [issuer] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return {
    issuer,
    async setNext(claims) {
      await fetch(`${issuer}/next`, { method: "PUT", body: JSON.stringify(claims) });
    },
    async [Symbol.asyncDispose]() {
      const closed = once(child, "close");
      child.kill();
      await closed;
    },
  };
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => void server.close(closed));
  return port;
}
