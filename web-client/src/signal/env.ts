/** Clock, timers and chance, so that tests bring their own. */
export interface Env {
  /** Milliseconds that only grow. */
  now(): number;
  /** The date, in milliseconds since 1970, by the best clock there is. */
  date(): number;
  /** From 0 to below 1. */
  random(): number;
  /** Runs `act` once; the answer takes that back. */
  after(ms: number, act: () => void): Cancel;
}

export type Cancel = () => void;

/** A longer wait would be none at all: a browser counts it with 31 bits. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

export const browserEnv: Env = {
  now: () => performance.now(),
  date: () => Date.now(),
  random: () => Math.random(),
  after(ms, act) {
    const timer = setTimeout(act, Math.min(ms, LONGEST_WAIT_MS));
    return () => clearTimeout(timer);
  },
};

/** 128 random bits as a session id. */
export function newSession(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
