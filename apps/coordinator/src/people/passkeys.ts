/**
 * Passkeys (W3C Web Authentication Level 3) by @simplewebauthn/server. The relying party is the host name that the browser shows, which the
 * port has compared with the origin before: `localhost` on this machine, else a name over TLS; addresses are none (§5.1.2). Credentials are
 * discoverable and ask for the person (user verification), so that one is as good as a password and the device that holds it.
 *
 * A challenge is good once, for five minutes, for what it was made for and where. They are kept in memory: a coordinator is one process.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { NexusError } from "@ciphernx/core/errors";
import { isUniqueViolation, type Store, userPasskeys } from "@ciphernx/core/store";
import { and, asc, eq } from "@ciphernx/core/store/sql";
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";

const CHALLENGE_MS = 5 * 60_000;
const MAX_CHALLENGES = 10_000;
const MAX_PASSKEYS = 20;
/** EdDSA, ES256, RS256 (IANA COSE Algorithms): the library's own list without what Node calls experimental. */
const ALGORITHMS = [-8, -7, -257];
const RELYING_PARTY = "Cipher Nexus";

/** What a challenge was made for: adding a passkey to a person, or signing somebody in. */
type Purpose = `add ${string}` | "sign in";

/** A passkey as its owner sees it. */
export interface ListedPasskey {
  readonly id: string;
  readonly rpId: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

/** A person who adds a passkey. */
export interface PasskeyOwner {
  readonly userId: string;
  readonly name: string;
  readonly email: string;
}

/** Passkeys of one coordinator. `origin` is that of the page, as its requests name it. */
export interface Passkeys {
  /** What a browser's `navigator.credentials.create` wants to know. @throws NexusError PASSKEY_REFUSED */
  addingOptions(owner: PasskeyOwner, origin: string): Promise<object>;
  /** Keeps what the browser made. @throws NexusError PASSKEY_REFUSED */
  add(owner: PasskeyOwner, origin: string, response: RegistrationResponseJSON): Promise<void>;
  /** What `navigator.credentials.get` wants to know. @throws NexusError PASSKEY_REFUSED */
  signInOptions(origin: string): Promise<object>;
  /** Whose passkey it is; undefined when it is unknown, or when anything about the answer is wrong. */
  check(origin: string, response: AuthenticationResponseJSON): Promise<string | undefined>;
  list(userId: string): Promise<readonly ListedPasskey[]>;
  /** @throws NexusError PASSKEY_REFUSED when the person has none of that id */
  remove(userId: string, id: string): Promise<void>;
}

export function createPasskeys({ db }: Pick<Store, "db">, now: () => number = () => performance.now()): Passkeys {
  /** Challenges that were given out, the oldest first. */
  const challenges = new Map<string, { readonly purpose: Purpose; readonly origin: string; readonly endsAt: number }>();
  // Loaded when the first passkey is wanted: it reads certificates of many makers.
  const webauthn = () => import("@simplewebauthn/server");

  function newChallenge(purpose: Purpose, origin: string): Uint8Array<ArrayBuffer> {
    const challenge = Uint8Array.from(randomBytes(32));
    challenges.set(Buffer.from(challenge).toString("base64url"), { purpose, origin, endsAt: now() + CHALLENGE_MS });
    if (challenges.size > MAX_CHALLENGES) challenges.delete(challenges.keys().next().value!);
    return challenge;
  }

  /** Uses a challenge up, whatever comes of it. */
  const takeChallenge =
    (purpose: Purpose, origin: string) =>
    (challenge: string): boolean => {
      const found = challenges.get(challenge);
      challenges.delete(challenge);
      return found !== undefined && found.purpose === purpose && found.origin === origin && now() < found.endsAt;
    };

  return {
    async addingOptions({ userId, name, email }, origin) {
      const known = await db.select().from(userPasskeys).where(eq(userPasskeys.userId, userId));
      if (known.length >= MAX_PASSKEYS) throw new NexusError("PASSKEY_REFUSED", `A person has ${MAX_PASSKEYS} passkeys at most.`);
      const { generateRegistrationOptions } = await webauthn();
      return generateRegistrationOptions({
        ...{ rpName: RELYING_PARTY, rpID: relyingParty(origin), userName: email, userDisplayName: name },
        userID: new TextEncoder().encode(userId),
        challenge: newChallenge(`add ${userId}`, origin),
        ...{ attestationType: "none", supportedAlgorithmIDs: ALGORITHMS },
        excludeCredentials: known.map(({ id, transports }) => ({ id, transports: [...transports] })),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
      });
    },

    async add({ userId }, origin, response) {
      const { verifyRegistrationResponse } = await webauthn();
      const verified = await verifyRegistrationResponse({
        ...{ response, expectedOrigin: origin, expectedRPID: relyingParty(origin), requireUserVerification: true },
        supportedAlgorithmIDs: ALGORITHMS,
        expectedChallenge: takeChallenge(`add ${userId}`, origin),
      }).catch(() => undefined); // why is for nobody who sends such answers to know; below
      if (verified?.verified !== true) throw new NexusError("PASSKEY_REFUSED", "The answer of the browser does not prove a new passkey.");
      const { id, publicKey, counter, transports = [] } = verified.registrationInfo.credential;
      try {
        await db.insert(userPasskeys).values({ id, userId, publicKey, counter, transports, rpId: relyingParty(origin) });
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        throw new NexusError("PASSKEY_REFUSED", "The passkey is known already.", { cause: error });
      }
    },

    async signInOptions(origin) {
      const { generateAuthenticationOptions } = await webauthn();
      return generateAuthenticationOptions({
        ...{ rpID: relyingParty(origin), userVerification: "required" },
        challenge: newChallenge("sign in", origin),
      });
    },

    async check(origin, response) {
      const [passkey] = await db.select().from(userPasskeys).where(eq(userPasskeys.id, response.id));
      if (passkey === undefined) return undefined;
      const { verifyAuthenticationResponse } = await webauthn();
      const { id, publicKey, counter } = passkey;
      const verified = await verifyAuthenticationResponse({
        ...{ response, expectedOrigin: origin, expectedRPID: relyingParty(origin), requireUserVerification: true },
        expectedChallenge: takeChallenge("sign in", origin),
        credential: { id, publicKey: Uint8Array.from(publicKey), counter },
      }).catch(() => undefined); // an answer that proves nothing, in whichever way
      if (verified?.verified !== true) return undefined;
      // The counter moves on from what it was checked against: of two answers of a copied key, one comes too late.
      const [used] = await db
        .update(userPasskeys)
        .set({ counter: verified.authenticationInfo.newCounter, lastUsedAt: new Date() })
        .where(and(eq(userPasskeys.id, id), eq(userPasskeys.counter, counter)))
        .returning();
      return used?.userId;
    },

    async list(userId) {
      return db
        .select({ id: userPasskeys.id, rpId: userPasskeys.rpId, createdAt: userPasskeys.createdAt, lastUsedAt: userPasskeys.lastUsedAt })
        .from(userPasskeys)
        .where(eq(userPasskeys.userId, userId))
        .orderBy(asc(userPasskeys.createdAt), asc(userPasskeys.id));
    },

    async remove(userId, id) {
      const removed = await db
        .delete(userPasskeys)
        .where(and(eq(userPasskeys.id, id), eq(userPasskeys.userId, userId)))
        .returning();
      if (removed.length === 0) throw new NexusError("PASSKEY_REFUSED", "You have no passkey of that id.");
    },
  };
}

/** The host name of a page, where passkeys can be. @throws NexusError PASSKEY_REFUSED */
function relyingParty(origin: string): string {
  const { hostname, protocol } = URL.parse(origin) ?? {};
  const isSafe = protocol === "https:" || hostname === "localhost";
  if (hostname !== undefined && isSafe && isIP(hostname.replace(/^\[(.*)\]$/, "$1")) === 0) return hostname;
  throw new NexusError("PASSKEY_REFUSED", "Passkeys belong to a name: open the page as http://localhost, or by its name over https.");
}
