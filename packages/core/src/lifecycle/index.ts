export { abortError, sleep, throwIfAborted } from "./sleep.ts";
export { createWaiters, type WaitOptions, type Waiters } from "./waiters.ts";
export { createSharedLock, type SharedLock } from "./shared-lock.ts";
