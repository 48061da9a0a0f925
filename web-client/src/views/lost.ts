import type { PeerView } from '../call/call';
import type { LinkState } from '../signal/link';

/** What a person should know about the line; `seconds` is how long it lasts. */
export type Loss = { is: 'none' } | { is: 'line'; seconds: number } | { is: 'service'; seconds: number };

/** Shorter cuts mend themselves before anybody has read a notice. */
const NOTICE_AFTER_MS = 2_000;

/** Picture and sound go on without the service: only when they stop too, the line is lost. */
export function lossOf(link: LinkState, peers: PeerView[], now: number): Loss {
  const media = peers.filter(({ level }) => level !== 'new');
  const quiet = media.map(({ quietSince }) => quietSince);
  const mediaLost = media.length > 0 && quiet.every((since) => since !== undefined);
  if (mediaLost)
    return { is: 'line', seconds: seconds(now - Math.min(...quiet.filter((since) => since !== undefined))) };
  if (link.is !== 'lost' || now - link.since < NOTICE_AFTER_MS) return { is: 'none' };
  return { is: media.length > 0 ? 'service' : 'line', seconds: seconds(now - link.since) };
}

const seconds = (ms: number): number => Math.max(0, Math.floor(ms / 1_000));
