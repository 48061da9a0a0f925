import type { Env } from '../signal/env';
import type { DurableMessage, IceCandidate, Member } from '../signal/types';
import { Candidates, fromWire } from './candidates';
import type { Tracks } from './media';

/** The media connection of a pair whose generation the room tells. */
export const PC = 'av';

export interface PeerOptions {
  env: Env;
  createPc: (config: RTCConfiguration) => RTCPeerConnection;
  send(message: DurableMessage): void;
  changed(): void;
  ice_coalesce_ms: number;
  ice_batch: number;
}

type Description = { kind: 'offer' | 'answer'; sdp: string };

const FINGERPRINT = /^a=fingerprint:(.+?)\r?$/m;

/** How long candidates are waited for, for a side that takes them only inside the description. */
const GATHER_MS = 2_000;

/** One generation of the media connection with one person. */
export class Peer {
  readonly participant: string;
  #generation: number;
  readonly stream = new MediaStream();
  /** Names what goes out as one, so that sound and picture stay together. */
  readonly #outgoing = new MediaStream();
  readonly #pc: RTCPeerConnection;
  readonly #with: PeerOptions;
  readonly #polite: boolean;
  readonly #trickle: boolean;
  readonly #candidates: Candidates;
  #tracks: Tracks;
  /** Descriptions and candidates are worked off one after another. */
  #queue: Promise<void> = Promise.resolve();
  #early: IceCandidate[] = [];
  #ignoring = false;
  #closed = false;

  constructor(member: Member, generation: number, tracks: Tracks, config: RTCConfiguration, options: PeerOptions) {
    this.participant = member.participant;
    this.#generation = generation;
    this.#tracks = tracks;
    this.#with = options;
    this.#polite = member.polite;
    this.#trickle = member.capabilities.trickle !== false;
    this.#candidates = new Candidates({
      env: options.env,
      coalesce_ms: options.ice_coalesce_ms,
      batch: options.ice_batch,
      send: (candidates) =>
        options.send({ type: 'ice', to: this.participant, pc: PC, generation: this.#generation, candidates }),
    });
    this.#pc = options.createPc(config);
    this.#pc.onnegotiationneeded = () => this.#enqueue(() => this.#offer());
    this.#pc.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate && this.#trickle) this.#candidates.add(candidate);
    };
    this.#pc.ontrack = ({ track }) => {
      this.stream.addTrack(track);
      options.changed();
    };
    this.#pc.onconnectionstatechange = () => options.changed();
    if (member.offerer) this.#begin();
  }

  get generation(): number {
    return this.#generation;
  }

  /** The room counts anew: both sides keep the connection and call it by the room's number. */
  renumber(generation: number): void {
    this.#generation = generation;
  }

  /** Whether a description comes from another connection than the one at the other end of this (RFC 8842 section 3.1). */
  isFromAnother(sdp: string): boolean {
    const [known, said] = [this.#pc.remoteDescription?.sdp, sdp].map((text) => FINGERPRINT.exec(text ?? '')?.[1]);
    return known !== undefined && said !== undefined && known !== said;
  }

  get state(): RTCPeerConnectionState {
    return this.#closed ? 'closed' : this.#pc.connectionState;
  }

  stats(): Promise<RTCStatsReport> {
    return this.#pc.getStats();
  }

  onDescription(description: Description): void {
    this.#enqueue(() => this.#take(description));
  }

  onCandidates(candidates: IceCandidate[]): void {
    this.#enqueue(() => this.#add(candidates));
  }

  /** Tracks come and go without a new negotiation: both lines are there from the first offer on. */
  setTracks(tracks: Tracks): void {
    this.#tracks = tracks;
    this.#enqueue(() => this.#attach());
  }

  configure(config: RTCConfiguration): void {
    if (!this.#closed) this.#pc.setConfiguration(config);
  }

  /** The most that the picture may take, in bits per second. */
  limit(budget: number | undefined): void {
    if (this.state !== 'connected') return;
    for (const sender of this.#pc.getSenders()) {
      const parameters = sender.getParameters();
      const [encoding] = parameters.encodings ?? [];
      if (sender.track?.kind !== 'video' || !encoding || encoding.maxBitrate === budget) continue;
      if (budget === undefined) delete encoding.maxBitrate;
      else encoding.maxBitrate = budget;
      // A browser that refuses goes on with its own estimate of the line.
      sender.setParameters(parameters).catch(() => undefined);
    }
  }

  restartIce(): void {
    if (!this.#closed) this.#pc.restartIce();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#candidates.drop();
    this.#pc.onnegotiationneeded = this.#pc.onicecandidate = this.#pc.ontrack = this.#pc.onconnectionstatechange = null;
    this.#pc.close();
  }

  /** Only the side that makes the first offer opens the lines; the other one takes them over from the offer. */
  #begin(): void {
    for (const kind of ['audio', 'video'] as const) {
      this.#pc.addTransceiver(this.#tracks[kind] ?? kind, { direction: 'sendrecv', streams: [this.#outgoing] });
    }
  }

  #enqueue(step: () => Promise<void>): void {
    this.#queue = this.#queue.then(async () => {
      if (this.#closed) return;
      try {
        await step();
      } catch {
        // A description that does not fit leaves the connection as it is: the watch on the line restarts or resets it.
      }
    });
  }

  async #offer(): Promise<void> {
    if (this.#pc.signalingState !== 'stable') return;
    await this.#pc.setLocalDescription();
    await this.#describe();
  }

  async #take({ kind, sdp }: Description): Promise<void> {
    const collision = kind === 'offer' && this.#pc.signalingState !== 'stable';
    this.#ignoring = collision && !this.#polite;
    if (this.#ignoring) return;
    await this.#pc.setRemoteDescription({ type: kind, sdp });
    const early = this.#early;
    this.#early = [];
    await this.#add(early);
    if (kind === 'answer') return;
    for (const { sender } of this.#pc.getTransceivers()) sender.setStreams?.(this.#outgoing);
    await this.#attach();
    await this.#pc.setLocalDescription();
    await this.#describe();
  }

  async #add(candidates: IceCandidate[]): Promise<void> {
    if (!this.#pc.remoteDescription) {
      this.#early.push(...candidates);
      return;
    }
    for (const candidate of candidates) {
      if (!candidate.candidate) continue;
      try {
        await this.#pc.addIceCandidate(fromWire(candidate));
      } catch (error) {
        if (!this.#ignoring) throw error;
      }
    }
  }

  async #attach(): Promise<void> {
    for (const transceiver of this.#pc.getTransceivers()) {
      if (transceiver.currentDirection === 'stopped') continue;
      const kind = transceiver.receiver.track.kind === 'audio' ? 'audio' : 'video';
      if (this.#pc.remoteDescription && transceiver.direction !== 'sendrecv') transceiver.direction = 'sendrecv';
      await transceiver.sender.replaceTrack(this.#tracks[kind] ?? null);
    }
  }

  async #describe(): Promise<void> {
    if (!this.#trickle) await this.#gathered();
    const local = this.#pc.localDescription;
    if (this.#closed || !local || (local.type !== 'offer' && local.type !== 'answer')) return;
    this.#with.send({
      type: 'sdp',
      to: this.participant,
      pc: PC,
      generation: this.#generation,
      kind: local.type,
      sdp: local.sdp,
    });
  }

  #gathered(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#with.env.after(GATHER_MS, resolve);
      const look = (): void => {
        if (this.#pc.iceGatheringState !== 'complete') return;
        cancel();
        resolve();
      };
      this.#pc.onicegatheringstatechange = look;
      look();
    });
  }
}
