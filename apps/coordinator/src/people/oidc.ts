/**
 * Signing in by an OpenID provider: OpenID Connect Core 1.0, the code flow with PKCE (RFC 7636, S256), state and nonce, by openid-client.
 * The ID token comes from the provider's token endpoint over TLS, and its signature is checked nevertheless.
 *
 * A flow is known by a cookie of its own (SameSite=Lax, since the provider's page leads back here; ten minutes), so that nobody is led into a
 * session that somebody else began (RFC 9700 §4.7). It is used up by the first answer, whatever that is. Flows are kept in memory.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { NexusError } from "@ciphernx/core/errors";
import { isLoopbackHost } from "@ciphernx/protocol/wire";
import type { Configuration } from "openid-client";
import { z } from "zod";

const FLOW_MS = 10 * 60_000;
const MAX_FLOWS = 10_000;

/** The path that the provider leads back to. Registered there behind the coordinator's address. */
export const OIDC_CALLBACK = "/auth/oidc/callback";

export interface OidcOptions {
  /** The provider, for example `https://login.hospital.example`. Its documents are fetched from there. */
  readonly issuer: string;
  readonly clientId: string;
  /** Holds the client's secret. */
  readonly clientSecretFile: string;
}

/** What a provider vouches for. */
export interface OidcIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** In small letters; undefined when the provider has not verified it. */
  readonly email: string | undefined;
  readonly name: string | undefined;
}

/** A provider that people sign in by. */
export interface Oidc {
  /** Begins a flow. `linkTo`: the signed-in person who wants to sign in that way from now on. */
  begin(origin: string, linkTo: string | undefined): Promise<{ readonly url: string; readonly flow: string }>;
  /**
   * Ends a flow with what the provider's page led back with.
   * @throws NexusError OIDC_FAILED, whatever is wrong with it
   */
  end(flow: string | undefined, target: string): Promise<{ readonly identity: OidcIdentity; readonly linkTo: string | undefined }>;
}

interface Flow {
  readonly origin: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly linkTo: string | undefined;
  readonly endsAt: number;
}

const claimsForm = z.object({
  iss: z.string(),
  sub: z.string().min(1).max(255),
  email: z.string().trim().toLowerCase().max(254).pipe(z.email()).optional().catch(undefined),
  email_verified: z.boolean().optional().catch(undefined),
  name: z.string().trim().min(1).max(100).optional().catch(undefined),
});

export function createOidc({ issuer, clientId, clientSecretFile }: OidcOptions, now: () => number = () => performance.now()): Oidc {
  const flows = new Map<string, Flow>();
  let found: Promise<Configuration> | undefined;

  /** The provider's documents, fetched when the first person comes. */
  async function discover(): Promise<Configuration> {
    const client = await import("openid-client");
    const address = URL.parse(issuer);
    if (address === null || (address.protocol !== "https:" && !isLoopbackHost(address.hostname))) {
      throw new NexusError("OIDC_FAILED", `The OpenID provider "${issuer}" is not at an https address.`);
    }
    const secret = (await readFile(clientSecretFile, "utf8")).trim();
    const insecure = address.protocol === "http:" ? [client.allowInsecureRequests] : [];
    return client.discovery(address, clientId, undefined, client.ClientSecretPost(secret), {
      execute: [client.enableNonRepudiationChecks, ...insecure],
      timeout: 10,
    });
  }

  const configuration = async (): Promise<Configuration> => {
    found ??= discover();
    try {
      return await found;
    } catch (error) {
      found = undefined; // the next person may find it
      throw new NexusError("OIDC_FAILED", `The OpenID provider ${issuer} does not answer as one.`, { cause: error });
    }
  };

  return {
    async begin(origin, linkTo) {
      const client = await import("openid-client");
      const config = await configuration();
      const verifier = client.randomPKCECodeVerifier();
      const began = { state: client.randomState(), nonce: client.randomNonce() };
      const flow = randomBytes(32).toString("base64url");
      flows.set(flow, { ...{ ...began, origin, verifier, linkTo }, endsAt: now() + FLOW_MS });
      if (flows.size > MAX_FLOWS) flows.delete(flows.keys().next().value!);
      const url = client.buildAuthorizationUrl(config, {
        ...began,
        ...{ redirect_uri: `${origin}${OIDC_CALLBACK}`, scope: "openid email profile" },
        ...{ code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" },
      });
      return { url: url.href, flow };
    },

    async end(flow, target) {
      const begun = flow === undefined ? undefined : flows.get(flow);
      if (flow !== undefined) flows.delete(flow);
      if (begun === undefined || now() >= begun.endsAt)
        throw new NexusError("OIDC_FAILED", "Nobody began to sign in that way here, or too long ago.");
      const client = await import("openid-client");
      const config = await configuration();
      const tokens = await client
        .authorizationCodeGrant(config, new URL(target, begun.origin), {
          ...{ expectedState: begun.state, expectedNonce: begun.nonce, pkceCodeVerifier: begun.verifier },
          idTokenExpected: true,
        })
        .catch((error: unknown) => {
          // The cause stays in the log: it may repeat what the provider said.
          throw new NexusError("OIDC_FAILED", "The answer of the OpenID provider does not prove who signs in.", { cause: error });
        });
      const claims = claimsForm.safeParse(tokens.claims());
      if (!claims.success) throw new NexusError("OIDC_FAILED", "The OpenID provider does not say who signs in.");
      const { iss, sub, email, email_verified: verified, name } = claims.data;
      return { identity: { issuer: iss, subject: sub, email: verified === true ? email : undefined, name }, linkTo: begun.linkTo };
    },
  };
}
