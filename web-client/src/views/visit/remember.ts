import type { Who } from '../room.svelte';

const KEY = 'hg:visit';

/** Keeps for this tab that it is in the visit, so that a reload comes back without a press. The token itself is not kept. */
export async function remember(token: string, who: Who): Promise<void> {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ link: await fingerprint(token), who }));
  } catch {
    // Without storage a reload starts at the link page again.
  }
}

/** Who this tab was in the visit of this link. */
export async function recall(token: string): Promise<Who | undefined> {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as { link: string; who: Who } | null;
    return kept && kept.link === (await fingerprint(token)) ? kept.who : undefined;
  } catch {
    return undefined;
  }
}

export function forget(): void {
  sessionStorage.removeItem(KEY);
}

async function fingerprint(token: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
  return Array.from(new Uint8Array(digest).slice(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
