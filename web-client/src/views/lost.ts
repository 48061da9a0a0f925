import type { PeerView } from '../call/call';
import type { LinkState } from '../signal/link';

/** What a person should know about the line; `seconds` is how long it lasts. */
export type Loss =
  | { is: 'none' }
  /** Nothing comes any more. */
  | { is: 'line'; seconds: number; tries: number; restart: boolean }
  /** Picture and sound go on without the service. */
  | { is: 'service'; seconds: number; tries: number; restart: boolean }
  /** The service is there, and can keep nothing. */
  | { is: 'degraded' };

/** Shorter cuts mend themselves before anybody has read a notice. */
const NOTICE_AFTER_MS = 2_000;

/** Picture and sound go on without the service: only when they stop too, the line is lost. */
export function lossOf(link: LinkState, peers: PeerView[], now: number): Loss {
  const media = peers.filter(({ level }) => level !== 'new');
  const quiet = media.map(({ quietSince }) => quietSince);
  const mediaLost = media.length > 0 && quiet.every((since) => since !== undefined);
  const way = link.is === 'lost' ? { tries: link.tries, restart: link.restart } : { tries: 0, restart: false };
  if (mediaLost) {
    const since = Math.min(...quiet.filter((one) => one !== undefined));
    return { is: 'line', seconds: seconds(now - since), ...way };
  }
  if (link.is === 'joined' && link.degraded) return { is: 'degraded' };
  if (link.is !== 'lost' || now - link.since < NOTICE_AFTER_MS) return { is: 'none' };
  return { is: media.length > 0 ? 'service' : 'line', seconds: seconds(now - link.since), ...way };
}

const seconds = (ms: number): number => Math.max(0, Math.floor(ms / 1_000));
