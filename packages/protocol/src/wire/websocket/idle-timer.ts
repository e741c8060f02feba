/** Tells when nothing has happened for a while. Cheap to be told that something has. */
export interface IdleTimer {
  touch(): void;
  stop(): void;
}

/** The same in Node and in a browser; it keeps no process alive. */
export function idleTimer(idleMs: number, onIdle: () => void): IdleTimer {
  let lastAt = performance.now();
  let timer: ReturnType<typeof setTimeout> | number | undefined;
  const arm = (inMs: number): void => {
    timer = setTimeout(() => {
      const leftMs = lastAt + idleMs - performance.now();
      if (leftMs <= 1) onIdle();
      else arm(leftMs);
    }, inMs);
    if (typeof timer === "object") timer.unref();
  };
  arm(idleMs);
  return { touch: () => (lastAt = performance.now()), stop: () => clearTimeout(timer) };
}
