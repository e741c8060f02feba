/** Many may share it at once, or one may hold it alone. In-process; waiting is first come, first served. */
export interface SharedLock {
  /** Runs work beside other shared work, never beside exclusive work. */
  shared<T>(work: () => Promise<T>): Promise<T>;
  /** Runs work alone. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
}

/** A lock that nobody holds. */
export function createSharedLock(): SharedLock {
  /** Settles when the last exclusive work has ended. */
  let gate: Promise<unknown> = Promise.resolve();
  /** Shared work under way since the gate was last closed. */
  let sharing = new Set<Promise<unknown>>();

  return {
    shared(work) {
      const running = gate.then(work);
      const settled = running.then(
        () => {},
        () => {},
      );
      const group = sharing;
      group.add(settled);
      void settled.then(() => group.delete(settled));
      return running;
    },
    exclusive(work) {
      const before = Promise.all([gate, ...sharing]);
      sharing = new Set();
      const running = before.then(work);
      gate = running.catch(() => {});
      return running;
    },
  };
}
