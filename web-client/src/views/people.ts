import type { PeerView } from '../call/call';
import type { Member, Role } from '../signal/types';

export interface Person {
  member: Member;
  peer: PeerView | undefined;
  picture: boolean;
}

/** Whom each side looks at first. */
const FOR_PATIENT: Role[] = ['host', 'staff', 'interpreter', 'patient', 'guest'];
const FOR_STAFF: Role[] = ['patient', 'guest', 'interpreter', 'host', 'staff'];

/** Everybody else in the room with what comes from them, the most important first. */
export function people(members: Member[], peers: PeerView[], viewer: Role): Person[] {
  const order = viewer === 'host' || viewer === 'staff' ? FOR_STAFF : FOR_PATIENT;
  // The room may have forgotten somebody who is still to be seen and heard.
  const forgotten = peers.filter(({ participant }) => !members.some((member) => member.participant === participant));
  return [...members, ...forgotten.map(({ member }) => member)]
    .map((member) => {
      const peer = peers.find(({ participant }) => participant === member.participant);
      return { member, peer, picture: peer?.connected === true && member.media.camera };
    })
    .sort((a, b) => order.indexOf(a.member.role) - order.indexOf(b.member.role));
}

/** How a person stands, as one word of the texts. */
export type Standing = 'connecting' | 'good' | 'weak' | 'lost' | 'returning' | 'gone';

export function standing({ member, peer }: Person): Standing {
  if (peer && peer.level !== 'new' && peer.level !== 'lost') return peer.level;
  if (member.presence.is === 'left') return 'gone';
  if (member.presence.is === 'reconnecting') return 'returning';
  return peer?.level === 'lost' ? 'lost' : 'connecting';
}
