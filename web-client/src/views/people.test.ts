import { expect, it } from 'vitest';
import type { PeerView } from '../call/call';
import type { Member, Role } from '../signal/types';
import { people } from './people';

const member = (participant: string, role: Role): Member =>
  ({ participant, role, media: { mic: true, camera: true } }) as Member;
const peerOf = (one: Member): PeerView =>
  ({ participant: one.participant, member: one, connected: true, level: 'good' }) as PeerView;

it('whoever matters most to the viewer comes first', () => {
  const room = [member('i', 'interpreter'), member('p', 'patient'), member('h', 'host')];
  expect(people(room, [], 'patient').map((one) => one.member.participant)).toEqual(['h', 'i', 'p']);
  expect(people(room, [], 'host').map((one) => one.member.participant)).toEqual(['p', 'i', 'h']);
});

it('whom the room forgot is still seen while the connection stands', () => {
  const [host, patient] = [member('h', 'host'), member('p', 'patient')];
  expect(people([host], [peerOf(host), peerOf(patient)], 'interpreter')).toMatchObject([
    { member: { participant: 'h' }, picture: true },
    { member: { participant: 'p' }, picture: true },
  ]);
});
