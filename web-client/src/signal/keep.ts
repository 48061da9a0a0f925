import type { Box } from './outbox';

/** Holds the outboxes for the next life of the page. */
export interface Keep {
  save(boxes: readonly Box[]): void;
  clear(): void;
  /** The page's session is over: whoever comes next may take over what it kept. */
  release(): void;
}

/**
 * `sessionStorage` of this tab. A duplicated tab gets a copy of it while the first one still lives; the lock tells them
 * apart, and only the heir of a page that is gone takes its sessions over.
 */
export async function openKeep(seat: string): Promise<{ keep: Keep; older: Box[] }> {
  const key = `hg:outbox:${seat}`;
  const older = read(sessionStorage.getItem(key));
  const before = older.at(-1)?.session;
  const heir = before === undefined || (await isFree(before));
  let held: { session: string; release: () => void } | undefined;
  const keep: Keep = {
    save(boxes) {
      const own = boxes.at(-1)?.session;
      if (own !== undefined && own !== held?.session) {
        held?.release();
        held = { session: own, release: hold(own) };
      }
      // When the storage is full, what the log has already is given up first. Where it is refused, the page works on, only
      // its next life starts without leftovers.
      if (!write(key, boxes)) write(key, boxes.map(unacknowledged));
    },
    clear: () => sessionStorage.removeItem(key),
    release() {
      held?.release();
      held = undefined;
    },
  };
  return { keep, older: heir ? older : [] };
}

const lockOf = (session: string): string => `hg:page:${session}`;

/** A page that is being replaced lets go of its lock a moment after the new one starts. */
const PATIENCE_MS = 500;

async function isFree(session: string): Promise<boolean> {
  if (!('locks' in navigator)) return true;
  try {
    return await navigator.locks.request(lockOf(session), { signal: AbortSignal.timeout(PATIENCE_MS) }, () => true);
  } catch {
    return false;
  }
}

/** Holds the session's lock until the answer is called, or the page is gone. */
function hold(session: string): () => void {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  if ('locks' in navigator) void navigator.locks.request(lockOf(session), () => held);
  return () => release();
}

function write(key: string, boxes: readonly Box[]): boolean {
  try {
    sessionStorage.setItem(key, JSON.stringify(boxes));
    return true;
  } catch {
    return false;
  }
}

const unacknowledged = (box: Box): Box => ({ ...box, entries: box.entries.filter(({ c }) => c > box.acked) });

function read(text: string | null): Box[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.filter(isBox) : [];
  } catch {
    return [];
  }
}

function isBox(value: unknown): value is Box {
  const box = value as Partial<Box> | null;
  return (
    typeof box?.session === 'string' &&
    Number.isSafeInteger(box.next_c) &&
    Number.isSafeInteger(box.acked) &&
    Array.isArray(box.entries)
  );
}
