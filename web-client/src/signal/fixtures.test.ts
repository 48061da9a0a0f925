import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Outbox } from './outbox';
import { parseFrame } from './parse';
import { reduce } from './reduce';
import { ME, waitingRoom } from './testing/world';
import type { ClientMessage, DurableMessage, PassingMessage } from './types';

const FOLDER = new URL('../../../crates/protocol/fixtures/', import.meta.url);

function fixtures(side: 'client' | 'server'): [string, string][] {
  return readdirSync(new URL(`${side}/`, FOLDER)).map((file) => [
    file.replace('.json', ''),
    readFileSync(new URL(`${side}/${file}`, FOLDER), 'utf8'),
  ]);
}

const VISIT = '01938000-0000-7000-8000-00000000000a';
const HOST = '01938000-0000-7000-8000-000000000002';
const INTERPRETER = '01938000-0000-7000-8000-000000000003';
const OWN = 'pAtIeNtPage0001';
const OLDER = 'oLdErPage0000001';

/** `hello.desk` is another form of `hello`; `desk.test.ts` sees that this client writes it so. */
const kindOf = (name: string): string => name.split('.')[0] ?? name;

/** Every message as this client writes it. A missing type, or one too many, does not compile. */
const PASSING: { [T in PassingMessage['type']]: Extract<ClientMessage, { type: T }> } = {
  hello: {
    type: 'hello',
    visit: VISIT,
    seat: ME,
    session: OWN,
    attempt: 2,
    outbox: [
      { session: OLDER, first_c: 4, next_c: 9 },
      { session: OWN, first_c: 1, next_c: 3 },
    ],
    secret: 'c2VjcmV0',
    last: { s: 41, chain: '0123456789abcdef' },
    marks: { hOsTpAgE00000001: 7 },
    takeover: 'oThErPage0000001',
    capabilities: { trickle: true, rollback: true },
    zone: 'Asia/Riyadh',
    locale: 'ar',
  },
  ack: { type: 'ack', s: 42, chain: '0123456789abcdef' },
  ice_servers: { type: 'ice_servers' },
  quality: { type: 'quality', peers: [{ participant: HOST, level: 'weak', rtt_ms: 180, loss_permille: 12 }] },
  ping: { type: 'ping' },
  simulate: { type: 'simulate', what: 'rewind' },
};

const DURABLE: { [T in DurableMessage['type']]: Extract<ClientMessage, { type: T }> } = {
  sdp: {
    type: 'sdp',
    to: HOST,
    pc: 'av',
    generation: 1,
    kind: 'offer',
    sdp: 'v=0\r\no=- 46117317 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n',
  },
  ice: {
    type: 'ice',
    to: HOST,
    pc: 'av',
    generation: 1,
    candidates: [
      {
        candidate: 'candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host',
        sdp_mid: '0',
        sdp_m_line_index: 0,
        username_fragment: 'EsAw',
      },
      { candidate: '' },
    ],
  },
  reset: { type: 'reset', to: HOST, pc: 'av', generation: 2 },
  media: { type: 'media', mic: true, camera: false, screen: false, signing: false },
  chat: { type: 'chat', id: 'line-1', text: 'I can hear you', to: 'staff' },
  knock: { type: 'knock', device: { camera: 'ok', microphone: 'blocked', speaker: 'unknown' } },
  unknock: { type: 'unknock' },
  admit: { type: 'admit', participant: ME, message: 'Good morning' },
  deny: { type: 'deny', participant: ME },
  hold: { type: 'hold', participant: ME, message: 'One moment, please' },
  role: { type: 'role', participant: INTERPRETER, role: 'interpreter' },
  ask_mute: { type: 'ask_mute', participant: ME },
  remove: { type: 'remove', participant: ME },
  lock: { type: 'lock', locked: true },
  extend: { type: 'extend', minutes: 10 },
  step_out: { type: 'step_out' },
  end: { type: 'end' },
  undo_end: { type: 'undo_end' },
  reopen: { type: 'reopen' },
  call_me: { type: 'call_me', number: '+966 55 555 0142' },
  nop: { type: 'nop' },
  bye: { type: 'bye' },
};

describe('what a client sends', () => {
  it.each(fixtures('client').filter(([name]) => name === kindOf(name)))(
    '%s is written as the fixture has it',
    (name, text) => {
      const fixture = JSON.parse(text) as { c?: number; session?: string };
      if (name in PASSING) {
        expect(PASSING[name as PassingMessage['type']]).toEqual(fixture);
        return;
      }
      const message = DURABLE[name as DurableMessage['type']];
      const c = fixture.c ?? 0;
      const box = { session: fixture.session ?? OWN, next_c: c + 1, acked: c - 1, entries: [{ c, at_ms: 0, message }] };
      const outbox = fixture.session ? new Outbox(OWN, [box]) : numbered(c, message);
      expect(outbox.take(1).map((frame) => JSON.parse(frame) as unknown)).toEqual([fixture]);
    },
  );

  it('has a fixture for each type', () => {
    const kinds = new Set(fixtures('client').map(([name]) => kindOf(name)));
    expect([...kinds].sort()).toEqual(Object.keys({ ...PASSING, ...DURABLE }).sort());
  });
});

/** An outbox whose next frame to go out has number `c`. */
function numbered(c: number, message: DurableMessage): Outbox {
  const outbox = new Outbox(OWN);
  for (let n = 1; n < c; n++) outbox.push({ type: 'nop' });
  outbox.acknowledge(OWN, c - 1, false);
  outbox.push(message);
  return outbox;
}

describe('what the server sends', () => {
  it.each(fixtures('server'))('%s is understood, and nothing of it is lost', (name, text) => {
    const frame = parseFrame(text);
    expect(frame?.message?.type).toBe(name);
    expect(frame && { ...frame.header, ...frame.message }).toEqual(JSON.parse(text));
    if (frame?.message) expect(reduce(waitingRoom, { header: frame.header, message: frame.message }, ME)).toBeDefined();
  });

  it.each(fixtures('server'))('%s is understood with fields of a later release', (_, text) => {
    expect(parseFrame(JSON.stringify({ ...(JSON.parse(text) as object), later: { x: 1 } }))?.message).toBeDefined();
  });
});
