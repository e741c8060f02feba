/**
 * Passwords of people: scrypt (RFC 7914) with N = 2^15, r = 8, p = 3, one of the settings that OWASP's Password Storage Cheat Sheet names as
 * equally strong; 32 MiB and about a tenth of a second each. Fit is what NIST SP 800-63B-4 §3.1.1.2 asks of a password that is the only
 * factor: 15 characters or more, any characters, no rules of composition, nothing that is known of the person.
 *
 * Few are worked out at a time, so that many guesses at once take neither the machine's memory nor the threads that files are read by.
 *
 * @module
 */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { NexusError } from "../errors/index.ts";

const LOG2_N = 15;
const COST = { N: 2 ** LOG2_N, r: 8, p: 3, maxmem: 64 * 1024 ** 2 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** The PHC string format; the parameters stand in it, and no others are taken. */
const PREFIX = `$scrypt$ln=${LOG2_N},r=${COST.r},p=${COST.p}$`;

const MIN_CHARACTERS = 15;
/** No limit of scrypt: a bound on what a stranger's request may hold. */
const MAX_CHARACTERS = 256;

const AT_ONCE = 2;
const MAX_WAITING = 32;

/** Why a password is not to be taken; undefined when it is fit. @param known words that others know of its owner: e-mail address, name */
export function passwordFault(password: string, known: readonly string[]): string | undefined {
  // Code points, as NIST counts them.
  const characters = Array.from(password.normalize("NFKC"));
  if (characters.length < MIN_CHARACTERS) return `The password has ${characters.length} characters; it needs at least ${MIN_CHARACTERS}.`;
  if (characters.length > MAX_CHARACTERS) return `The password has more than ${MAX_CHARACTERS} characters.`;
  if (new Set(characters).size < 5) return "The password repeats a few characters over and over.";
  const text = password.toLowerCase();
  const told = known.map((word) => word.trim().toLowerCase()).find((word) => word.length >= 8 && text.includes(word));
  return told === undefined ? undefined : "The password contains the name or the e-mail address of its owner.";
}

/** What is kept of a password. @throws NexusError RATE_LIMITED when too many wait */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  return `${PREFIX}${salt.toString("base64url")}$${(await derive(password, salt)).toString("base64url")}`;
}

/** Whether a password is the one of a hash, in constant time. @throws NexusError RATE_LIMITED when too many wait, INTERNAL for a hash that is none */
export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  const [salt, expected] = hash.startsWith(PREFIX) ? hash.slice(PREFIX.length).split("$") : [];
  if (salt === undefined || expected === undefined)
    throw new NexusError("INTERNAL", "The hash of a password has another form than this version writes.");
  const wanted = Buffer.from(expected, "base64url");
  const found = await derive(password, Buffer.from(salt, "base64url"));
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}

let busy = 0;
const waiting: (() => void)[] = [];

async function derive(password: string, salt: Uint8Array): Promise<Buffer> {
  if (busy >= AT_ONCE) {
    if (waiting.length >= MAX_WAITING) {
      throw new NexusError("RATE_LIMITED", "Too many passwords are being checked at once; try again in a moment.", {
        details: { retryAfterSeconds: 5 },
      });
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else busy += 1;
  try {
    return await new Promise((resolve, reject) => {
      // The same text in another encoding of its accents is the same password.
      scrypt(password.normalize("NFKC"), salt, HASH_BYTES, COST, (error, key) => (error === null ? resolve(key) : reject(error)));
    });
  } finally {
    const next = waiting.shift();
    if (next === undefined) busy -= 1;
    else next();
  }
}
