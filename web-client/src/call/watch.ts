/** A line in a word. */
export type LineLevel = 'new' | 'good' | 'weak' | 'lost';

export interface Sample {
  now: number;
  state: RTCPeerConnectionState;
  /** Packets of sound and picture that came in, and that were lost, from the start. */
  received: number;
  lost: number;
  rtt_ms: number | undefined;
  /** The other side says that it sends something. */
  expected: boolean;
}

export interface Judgement {
  level: LineLevel;
  /** Since when nothing comes, in the clock of `now`. */
  quietSince: number | undefined;
  act: 'nothing' | 'restart' | 'reset';
}

const NOTICE_MS = 2_000;
const RESTART_MS = 3_000;
const BETWEEN_RESTARTS_MS = 5_000;
const RESTARTS_BEFORE_RESET = 3;
const WEAK_LOSS = 0.05;
const WEAK_RTT_MS = 500;

/**
 * Watches what arrives. `connectionState` says "disconnected" only after 8 s, and `iceConnectionState` says it for ever:
 * packets tell at once.
 */
export class LineWatch {
  #last: Sample | undefined;
  #heardAt: number | undefined;
  #restartedAt: number | undefined;
  #restarts = 0;

  judge(sample: Sample): Judgement {
    const before = this.#last;
    this.#last = sample;
    const grew = sample.received > (before?.received ?? 0);
    if (grew || (sample.state === 'connected' && !sample.expected)) {
      this.#heardAt = sample.now;
      this.#restarts = 0;
    }
    if (this.#heardAt === undefined)
      return { level: 'new', quietSince: undefined, act: this.#mend(sample, sample.state === 'failed') };
    const quiet = sample.now - this.#heardAt;
    const failed = sample.state === 'failed';
    const silent = quiet >= NOTICE_MS || failed;
    const level = silent ? 'lost' : weak(before, sample) ? 'weak' : 'good';
    return {
      level,
      quietSince: silent ? this.#heardAt : undefined,
      act: this.#mend(sample, failed || quiet >= RESTART_MS),
    };
  }

  #mend(sample: Sample, needed: boolean): Judgement['act'] {
    if (!needed) return 'nothing';
    if (this.#restartedAt !== undefined && sample.now - this.#restartedAt < BETWEEN_RESTARTS_MS) return 'nothing';
    this.#restartedAt = sample.now;
    return ++this.#restarts > RESTARTS_BEFORE_RESET ? 'reset' : 'restart';
  }
}

function weak(before: Sample | undefined, { received, lost, rtt_ms }: Sample): boolean {
  const came = received - (before?.received ?? 0);
  const missed = lost - (before?.lost ?? 0);
  return (rtt_ms ?? 0) > WEAK_RTT_MS || (missed > 0 && missed / (came + missed) > WEAK_LOSS);
}

/** What of a statistics report the watch needs. */
export function countPackets(report: RTCStatsReport): Pick<Sample, 'received' | 'lost' | 'rtt_ms'> {
  let received = 0;
  let lost = 0;
  let rtt_ms: number | undefined;
  report.forEach(
    (entry: {
      type: string;
      packetsReceived?: number;
      packetsLost?: number;
      nominated?: boolean;
      currentRoundTripTime?: number;
    }) => {
      if (entry.type === 'inbound-rtp') {
        received += entry.packetsReceived ?? 0;
        lost += entry.packetsLost ?? 0;
      } else if (entry.type === 'candidate-pair' && entry.nominated && entry.currentRoundTripTime !== undefined) {
        rtt_ms = Math.round(entry.currentRoundTripTime * 1_000);
      }
    },
  );
  return { received, lost, rtt_ms };
}
