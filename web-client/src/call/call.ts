import type { Cancel, Env } from '../signal/env';
import type {
  DurableMessage,
  Header,
  IceServer,
  Limits,
  Member,
  Of,
  RoomView,
  ServerMessage,
  Timers,
} from '../signal/types';
import type { Tracks } from './media';
import { PC, Peer } from './peer';
import { countPackets, type Judgement, type LineLevel, LineWatch } from './watch';

export interface PeerView {
  participant: string;
  /** As the room last told. */
  member: Member;
  stream: MediaStream;
  connected: boolean;
  level: LineLevel;
  /** Since when nothing comes, in `env.now()`. */
  quietSince: number | undefined;
}

/** The part of the room's client that a call needs. */
export interface Signal {
  send(message: DurableMessage): void;
  readonly joined: boolean;
  readonly timers: Timers;
  readonly limits: Limits;
}

export interface CallOptions {
  env: Env;
  signal: Signal;
  createPc: (config: RTCConfiguration) => RTCPeerConnection;
  changed(peers: PeerView[]): void;
}

interface Entry {
  peer: Peer;
  member: Member;
  watch: LineWatch;
  judgement: Judgement;
  stillNew: Cancel | undefined;
  /** Ends the wait for somebody whom the room forgot. */
  forgotten: Cancel | undefined;
}

const LOOK_EVERY_MS = 1_000;
/** Until the first packets are counted, the page says "connecting". */
const LOOK_FIRST_MS = 200;
const LONGEST_NEW_MS = 10_000;
/** For each picture that goes out, by the number of people who get one: a mesh shares the line. */
const BUDGET_BPS: Record<number, number> = { 2: 600_000 };
const SMALLEST_BUDGET_BPS = 350_000;

/** The media connections with everybody in the room, kept as the room tells. */
export class Call {
  readonly #with: CallOptions;
  readonly #entries = new Map<string, Entry>();
  #tracks: Tracks = { audio: undefined, video: undefined };
  #config: RTCConfiguration = {};
  #look: Cancel | undefined;
  #closed = false;

  constructor(options: CallOptions) {
    this.#with = options;
  }

  /**
   * Builds, renews and closes connections until they are those of the room. A room whose log lost its history knows only who
   * came back already: what flows to the others goes on, as long as a seat is waited for.
   */
  sync(room: RoomView, forgetful = false): void {
    if (this.#closed) return;
    const inside = room.state === 'admitted' && room.phase.is !== 'ended';
    const members = inside ? room.members : [];
    for (const entry of [...this.#entries.values()]) {
      const member = members.find(({ participant }) => participant === entry.peer.participant);
      if (member) {
        this.#remember(entry, member, forgetful);
        if (isGone(entry)) this.#drop(member.participant);
      } else if (inside && (entry.forgotten ?? (forgetful && flows(entry)))) this.#await(entry);
      else this.#drop(entry.peer.participant);
    }
    for (const member of members) {
      const entry = this.#entries.get(member.participant);
      if (entry ? member.generation > entry.peer.generation : member.presence.is !== 'left')
        this.#build(member, member.generation, 0);
    }
    this.#share();
    this.#tell();
  }

  act(message: ServerMessage, header: Header): void {
    switch (message.type) {
      case 'sdp':
        if (message.pc === PC) this.#describe(header, message);
        return;
      case 'ice':
        if (message.pc === PC) this.#of(header, message.generation)?.peer.onCandidates(message.candidates);
        return;
      case 'left':
        // A page that was lost may have lost only the service: it goes on to send and get. One that said goodbye does not.
        if (message.why === 'bye') this.#drop(message.participant);
        return this.#tell();
      case 'stepped_out':
      case 'held':
      case 'removed':
        this.#drop(message.participant);
        return this.#tell();
      case 'ice_servers':
        return this.#configure(message.servers);
      default:
    }
  }

  setTracks(tracks: Tracks): void {
    this.#tracks = tracks;
    for (const { peer } of this.#entries.values()) peer.setTracks(tracks);
  }

  /** The network changed: finds new ways at once. */
  restart(): void {
    for (const { peer } of this.#entries.values()) if (peer.state !== 'new') peer.restartIce();
  }

  close(): void {
    this.#closed = true;
    for (const participant of [...this.#entries.keys()]) this.#drop(participant);
    this.#look?.();
  }

  /** The connection that a frame is for; a frame of an older generation is for none. */
  #of({ from }: Header, generation: number): Entry | undefined {
    const entry = from ? this.#entries.get(from) : undefined;
    if (!entry || generation < entry.peer.generation) return undefined;
    return generation === entry.peer.generation ? entry : this.#build(entry.member, generation, 0);
  }

  /** An offer of another connection than ours is that of a new page: ours has nobody at its other end. */
  #describe(header: Header, message: Of<'sdp'>): void {
    const entry = this.#of(header, message.generation);
    if (!entry) return;
    const another = message.kind === 'offer' && entry.peer.isFromAnother(message.sdp);
    const { peer } = another ? this.#build(entry.member, message.generation, 0) : entry;
    peer.onDescription(message);
  }

  #remember(entry: Entry, member: Member, forgetful: boolean): void {
    entry.member = member;
    if (!forgetful && !entry.forgotten) return;
    entry.forgotten?.();
    entry.forgotten = undefined;
    if (member.generation < entry.peer.generation) entry.peer.renumber(member.generation);
  }

  #await(entry: Entry): void {
    entry.forgotten ??= this.#with.env.after(this.#with.signal.timers.reconnecting_ms, () => {
      this.#drop(entry.peer.participant);
      this.#tell();
    });
  }

  #build(member: Member, generation: number, resets: number): Entry {
    this.#drop(member.participant);
    const { env, signal, createPc } = this.#with;
    const peer = new Peer(member, generation, this.#tracks, this.#config, {
      env,
      createPc,
      send: (message) => signal.send(message),
      changed: () => {
        if (peer.state === 'connected') this.#share();
        if (isGone(entry)) this.#drop(peer.participant);
        this.#tell();
      },
      ice_coalesce_ms: signal.timers.ice_coalesce_ms,
      ice_batch: signal.limits.ice_batch,
    });
    const entry: Entry = {
      peer,
      member,
      watch: new LineWatch(),
      judgement: { level: 'new', quietSince: undefined, act: 'nothing' },
      stillNew: undefined,
      forgotten: undefined,
    };
    this.#entries.set(member.participant, entry);
    this.#awaitStart(entry, resets);
    this.#lookSoon();
    return entry;
  }

  /** A connection that stays `new` never starts by itself: both sides build the next one. Slow lines get more time each time. */
  #awaitStart(entry: Entry, resets: number): void {
    const wait = Math.min(this.#with.signal.timers.still_new_ms * 2 ** resets, LONGEST_NEW_MS);
    entry.stillNew = this.#with.env.after(wait, () => {
      if (entry.peer.state !== 'new') return;
      if (this.#reachable(entry)) this.#reset(entry, resets + 1);
      else this.#awaitStart(entry, resets);
    });
  }

  #reset({ member, peer }: Entry, resets: number): void {
    const generation = peer.generation + 1;
    this.#with.signal.send({ type: 'reset', to: member.participant, pc: PC, generation });
    this.#build(member, generation, resets);
    this.#tell();
  }

  #reachable({ member }: Entry): boolean {
    return this.#with.signal.joined && member.presence.is === 'online';
  }

  #drop(participant: string): void {
    const entry = this.#entries.get(participant);
    entry?.stillNew?.();
    entry?.forgotten?.();
    entry?.peer.close();
    this.#entries.delete(participant);
  }

  #configure(servers: IceServer[]): void {
    const iceServers = servers.map(({ urls, username, credential }) => ({
      urls,
      ...(typeof username === 'string' ? { username } : {}),
      ...(typeof credential === 'string' ? { credential } : {}),
    }));
    this.#config = { iceServers };
    for (const { peer } of this.#entries.values()) peer.configure(this.#config);
  }

  async #lookAtAll(): Promise<void> {
    this.#look = undefined;
    await Promise.all([...this.#entries.values()].map((entry) => this.#lookAt(entry)));
    if (this.#closed || this.#entries.size === 0) return;
    this.#tell();
    this.#lookSoon();
  }

  #lookSoon(): void {
    const isNew = [...this.#entries.values()].some(({ judgement }) => judgement.level === 'new');
    this.#look ??= this.#with.env.after(isNew ? LOOK_FIRST_MS : LOOK_EVERY_MS, () => void this.#lookAtAll());
  }

  async #lookAt(entry: Entry): Promise<void> {
    const { peer, watch, member } = entry;
    if (peer.state === 'new' || peer.state === 'closed') return;
    const report = await peer.stats();
    if (this.#entries.get(peer.participant) !== entry) return;
    const expected = member.media.mic === true || member.media.camera === true;
    entry.judgement = watch.judge({ now: this.#with.env.now(), state: peer.state, expected, ...countPackets(report) });
    if (entry.judgement.act === 'nothing' || !this.#reachable(entry)) return;
    if (entry.judgement.act === 'restart') peer.restartIce();
    else this.#reset(entry, 0);
  }

  #share(): void {
    const others = this.#entries.size;
    const budget = others < 2 ? undefined : (BUDGET_BPS[others] ?? SMALLEST_BUDGET_BPS);
    for (const { peer } of this.#entries.values()) peer.limit(budget);
  }

  #tell(): void {
    if (this.#closed) return;
    const views = [...this.#entries.values()].map(({ peer, member, judgement }) => ({
      participant: peer.participant,
      member,
      stream: peer.stream,
      connected: peer.state === 'connected',
      level: judgement.level,
      quietSince: judgement.quietSince,
    }));
    this.#with.changed(views);
  }
}

function flows({ peer, judgement }: Entry): boolean {
  return peer.state === 'connected' && judgement.quietSince === undefined;
}

/** The room waits no longer for the person, and nothing can come on their connection either. */
function isGone({ peer, member }: Entry): boolean {
  return member.presence.is === 'left' && peer.state !== 'connected' && peer.state !== 'disconnected';
}
