/**
 * What one address may cost before anybody knows who it is: connections that are open, and new ones, each of which asks for a TLS handshake
 * (a signature and a key agreement, about a millisecond). Asked before the first byte is read, so that what is refused costs next to nothing.
 *
 * IPv6 addresses count by their /64. Addresses are remembered while they have connections or have not earned their burst back; their number
 * is bounded: beyond it, the one that left longest ago is forgotten.
 *
 * @module
 */
import { addressKey } from "@ciphernx/core/identity";

/** Bounds for each address. */
export interface ConnectionGateOptions {
  readonly maxConnections: number;
  /** New connections a second, in the long run. */
  readonly perSecond: number;
  /** New connections at once, after a time without any. */
  readonly burst: number;
  /** Addresses that are remembered. Default 20,000. */
  readonly maxAddresses?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** Lets connections in, or not. */
export interface ConnectionGate {
  /** Counts a connection of the address; undefined when it has too many. What is given back is called once, when the connection has ended. */
  enter(address: string): (() => void) | undefined;
  /** Addresses that are remembered now. */
  readonly size: number;
}

interface Known {
  open: number;
  /** When its burst will be whole again. */
  fullAt: number;
}

/** A gate that has seen nobody. */
export function createConnectionGate(options: ConnectionGateOptions): ConnectionGate {
  const { maxConnections, perSecond, burst, maxAddresses = 20_000, now = () => performance.now() } = options;
  const msPerConnection = 1_000 / perSecond;
  /** Those with connections: no more than there are connections. */
  const present = new Map<string, Known>();
  /** Those without that have not earned their burst back; who left last stands last. */
  const absent = new Map<string, Known>();

  const leave = (key: string, entry: Known): void => {
    entry.open -= 1;
    if (entry.open > 0) return;
    present.delete(key);
    absent.set(key, entry);
    for (const [other, { fullAt }] of absent) {
      if (fullAt > now() && absent.size <= maxAddresses) return;
      absent.delete(other);
    }
  };
  return {
    enter(address) {
      const key = addressKey(address);
      const entry = present.get(key) ?? absent.get(key) ?? { open: 0, fullAt: 0 };
      const spentMs = Math.max(0, entry.fullAt - now());
      if (entry.open >= maxConnections || spentMs > (burst - 1) * msPerConnection) return undefined;
      entry.open += 1;
      entry.fullAt = now() + spentMs + msPerConnection;
      absent.delete(key);
      present.set(key, entry);
      return () => leave(key, entry);
    },
    get size() {
      return present.size + absent.size;
    },
  };
}
