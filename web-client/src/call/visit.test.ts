import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type FakeSocket, physician, waitingRoom, World } from '../signal/testing/world';
import type { RoomView } from '../signal/types';
import type { LocalMedia } from './media';
import { FakePc } from './testing/pc';
import { Visit } from './visit';

const inVisit: RoomView = { ...waitingRoom, state: 'admitted', members: [physician] };
const media = {
  told: { mic: true, camera: true, screen: false, signing: false },
  tracks: { audio: undefined, video: undefined },
  watch: () => () => undefined,
} as unknown as LocalMedia;

let world: World;
let pcs: FakePc[];
/** What the page listens to. */
let page: EventTarget & { visibilityState?: string };
let visit: Visit;

const told = (): number => world.sockets.reduce((sum, socket) => sum + socket.of('media').length, 0);

async function comeBack(after: number, resumed: 'full' | 'resync', room = inVisit): Promise<FakeSocket> {
  const acked = { pAtIeNtPage0001: visit.client.boxes[0]?.acked ?? 0 };
  world.env.pass(after);
  const socket = await world.opened();
  world.welcome({ s: 10, resumed, acked });
  if (resumed === 'resync') world.snapshot(10, room);
  return socket;
}

beforeEach(async () => {
  pcs = [];
  page = new EventTarget();
  vi.stubGlobal('window', page);
  vi.stubGlobal('document', page);
  vi.stubGlobal(
    'MediaStream',
    class {
      addTrack(): void {}
    },
  );
  vi.stubGlobal('RTCPeerConnection', function (config: RTCConfiguration) {
    const pc = new FakePc(config);
    pcs.push(pc);
    return pc;
  });
  world = new World();
  const nothing = (): void => undefined;
  visit = new Visit(world.options, media, {
    link: nothing,
    room: nothing,
    peers: nothing,
    act: nothing,
    own: nothing,
  });
  await world.opened();
  world.welcome({ s: 10 });
  world.snapshot(10, inVisit);
  pcs[0]?.become('connected');
});

describe('the media connections', () => {
  it('are not touched by lost sockets, whatever follows them', async () => {
    for (const resumed of ['full', 'resync', 'full', 'resync'] as const) {
      world.socket.on.close(1006);
      await comeBack(5_000, resumed);
    }
    expect(visit.client.state.is).toBe('joined');
    expect(pcs).toHaveLength(1);
    expect(pcs[0]?.connectionState).toBe('connected');
  });

  it('stay while a log that lost its history finds everybody again', async () => {
    world.ack(1);
    world.socket.on.close(1006);
    world.env.pass(0);
    await world.opened();
    world.welcome({ s: 2, resumed: 'resync', acked: { pAtIeNtPage0001: 0 } });
    world.snapshot(2, { ...inVisit, members: [] });
    world.socket.say({ type: 'joined', s: 3, p: 2, chain: '0000000000000003', member: physician });
    expect(pcs).toHaveLength(1);
    expect(pcs[0]?.connectionState).toBe('connected');
  });

  it('end with the visit', () => {
    world.socket.on.close(4104);
    expect(pcs[0]?.connectionState).toBe('closed');
  });
});

describe('what the own devices do', () => {
  it('is told once, also through a short loss', async () => {
    expect(told()).toBe(1);
    world.ack(1);
    world.socket.on.close(1006);
    await comeBack(0, 'full');
    expect(told()).toBe(1);
  });

  it('is told again by whoever may have been taken for gone', async () => {
    world.ack(1);
    for (let waited = 0; waited <= 15_000; waited += 5_000) {
      world.socket.on.close(1006);
      world.env.pass(5_000);
    }
    await comeBack(0, 'full');
    expect(told()).toBe(2);
  });
});

describe('the page', () => {
  it('comes back at once when the network does, and finds new ways for the pictures', () => {
    world.socket.on.close(1006);
    world.env.pass(0);
    world.socket.on.close(1006);
    const before = world.sockets.length;
    page.dispatchEvent(new Event('online'));
    expect(world.sockets).toHaveLength(before + 1);
    expect(pcs[0]?.restarts).toBe(1);
  });

  it('asks for a sign of life when it is looked at again, and keeps its outbox when it is not', () => {
    page.visibilityState = 'visible';
    page.dispatchEvent(new Event('visibilitychange'));
    expect(world.socket.of('ping')).toHaveLength(1);
    const before = world.saved.length;
    page.visibilityState = 'hidden';
    page.dispatchEvent(new Event('visibilitychange'));
    page.dispatchEvent(new Event('pagehide'));
    expect(world.saved).toHaveLength(before + 2);
  });

  it('is not listened to any more once the person has left', () => {
    visit.leave({ type: 'bye' });
    const before = world.saved.length;
    page.dispatchEvent(new Event('pagehide'));
    expect(world.saved).toHaveLength(before);
  });
});
