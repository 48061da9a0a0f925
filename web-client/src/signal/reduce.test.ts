import { describe, expect, it } from 'vitest';
import { reduce } from './reduce';
import { HOST, ME, physician, waitingRoom } from './testing/world';
import type { Header, Member, RoomView, ServerMessage, Waiting } from './types';

const host: Member = { ...physician, offerer: false };
const waiting: Waiting = {
  participant: ME,
  role: 'patient',
  name: 'Maryam Al-Harbi',
  language: 'ar',
  state: 'waiting',
  presence: { is: 'online' },
  since_ms: 1,
  knocked: true,
  device: { camera: 'ok', microphone: 'ok', speaker: 'unknown' },
};
const inVisit: RoomView = { ...waitingRoom, state: 'admitted', members: [host] };
const desk: RoomView = { ...waitingRoom, state: 'admitted', role: 'host', waiting: [waiting] };
const patient: Member = { ...host, participant: ME, role: 'patient', name: 'Maryam Al-Harbi', offerer: true };

const step = (room: RoomView, message: ServerMessage, header: Header = {}, me = ME): RoomView =>
  reduce(room, { header, message }, me);

describe('the room, as the one who waits sees it', () => {
  it('is replaced by what admitted brings', () => {
    expect(step(waitingRoom, { type: 'admitted', participant: ME, room: inVisit })).toEqual(inVisit);
  });

  it('is empty again when held or removed', () => {
    expect(step(inVisit, { type: 'held', participant: ME })).toMatchObject({ state: 'held', members: [] });
    expect(step(inVisit, { type: 'removed', participant: ME })).toMatchObject({ state: 'removed', members: [] });
    expect(step(waitingRoom, { type: 'denied', participant: ME })).toMatchObject({ state: 'denied' });
  });
});

describe('the room, as staff see it', () => {
  const byHost = (room: RoomView, message: ServerMessage, header?: Header): RoomView =>
    step(room, message, header, HOST);

  it('moves a person from waiting to members and back', () => {
    const admitted = byHost(desk, { type: 'admitted', participant: ME, member: patient });
    expect(admitted).toMatchObject({ members: [patient], waiting: [] });
    const held = byHost(admitted, { type: 'held', participant: ME, waiting: { ...waiting, state: 'held' } });
    expect(held).toMatchObject({ members: [], waiting: [{ state: 'held' }] });
  });

  it('takes a knock once', () => {
    const knocked = byHost(desk, { type: 'knocked', waiting: { ...waiting, since_ms: 2 } });
    expect(knocked.waiting).toEqual([{ ...waiting, since_ms: 2 }]);
  });

  it('follows presence, media, role and generation of each', () => {
    let room = byHost(desk, { type: 'admitted', participant: ME, member: patient });
    room = byHost(room, { type: 'media', media: { ...patient.media, camera: false } }, { from: ME });
    room = byHost(room, { type: 'reset', pc: 'av', generation: 2 }, { from: ME });
    room = byHost(room, { type: 'role', participant: ME, role: 'guest' });
    room = byHost(room, { type: 'left', participant: ME, why: 'lost' });
    expect(room.members[0]).toMatchObject({
      media: { camera: false },
      generation: 2,
      role: 'guest',
      presence: { is: 'left', why: 'lost' },
    });
    expect(byHost(room, { type: 'joined', member: { ...patient, generation: 3 } }).members).toEqual([
      { ...patient, generation: 3 },
    ]);
  });
});

describe('the end', () => {
  it('can be undone, comes, and can be taken back', () => {
    const ending = step(inVisit, { type: 'ending', until_ms: 5 });
    expect(ending.phase).toEqual({ is: 'ending', until_ms: 5 });
    expect(step(ending, { type: 'end_undone' }).phase).toEqual({ is: 'open' });
    const ended = step(ending, { type: 'ended', reopen_until_ms: 9 });
    expect(ended.phase).toEqual({ is: 'ended', reopen_until_ms: 9 });
    expect(step(ended, { type: 'reopened', room: inVisit })).toEqual(inVisit);
  });
});

describe('the chat', () => {
  it('keeps each line once and the last 200', () => {
    const line = (s: number): [ServerMessage, Header] => [
      { type: 'chat', id: `${s}`, text: 'x', to: '*' },
      { s, from: HOST, at: s },
    ];
    let room = inVisit;
    for (let s = 1; s <= 210; s++) room = step(room, ...line(s));
    room = step(room, ...line(210));
    expect(room.chat).toHaveLength(200);
    expect(room.chat.at(-1)).toMatchObject({ s: 210, at_ms: 210 });
  });
});

it('a frame changes no room in place', () => {
  const before = structuredClone(desk);
  step(desk, { type: 'admitted', participant: ME, member: patient }, {}, HOST);
  step(desk, { type: 'left', participant: ME, why: 'bye' }, {}, HOST);
  expect(desk).toEqual(before);
});
