import type { Cancel, Env } from '../signal/env';
import type { IceCandidate } from '../signal/types';

interface Options {
  env: Env;
  coalesce_ms: number;
  batch: number;
  send(candidates: IceCandidate[]): void;
}

/** Collects candidates for a moment, so that few messages carry many. */
export class Candidates {
  readonly #with: Options;
  #collected: IceCandidate[] = [];
  #timer: Cancel | undefined;

  constructor(options: Options) {
    this.#with = options;
  }

  add(candidate: RTCIceCandidate): void {
    this.#collected.push(toWire(candidate));
    if (this.#collected.length >= this.#with.batch) this.#flush();
    else this.#timer ??= this.#with.env.after(this.#with.coalesce_ms, () => this.#flush());
  }

  drop(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#collected = [];
  }

  #flush(): void {
    const collected = this.#collected;
    this.drop();
    if (collected.length > 0) this.#with.send(collected);
  }
}

function toWire({ candidate, sdpMid, sdpMLineIndex, usernameFragment }: RTCIceCandidate): IceCandidate {
  const wire: IceCandidate = { candidate };
  if (sdpMid !== null) wire.sdp_mid = sdpMid;
  if (sdpMLineIndex !== null) wire.sdp_m_line_index = sdpMLineIndex;
  if (usernameFragment !== null) wire.username_fragment = usernameFragment;
  return wire;
}

export function fromWire({
  candidate,
  sdp_mid,
  sdp_m_line_index,
  username_fragment,
}: IceCandidate): RTCIceCandidateInit {
  return {
    candidate,
    sdpMid: sdp_mid ?? null,
    sdpMLineIndex: sdp_m_line_index ?? null,
    usernameFragment: username_fragment ?? null,
  };
}
