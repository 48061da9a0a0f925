import { describe, expect, it } from 'vitest';
import { acquire, reason } from './acquire';

type Devices = Record<'camera' | 'microphone', string | undefined>;
const BOTH = { camera: true, microphone: true };

class Fault extends Error {
  constructor(override readonly name: string) {
    super(name);
  }
}

/** Each device works, or fails with the error named. */
function fakeDevices(is: Devices): { devices: MediaDevices; asked: string[] } {
  const asked: string[] = [];
  const getUserMedia = ({ video, audio }: MediaStreamConstraints): Promise<unknown> => {
    asked.push([video && 'camera', audio && 'microphone'].filter(Boolean).join('+'));
    const fault = (video ? is.camera : undefined) ?? (audio ? is.microphone : undefined);
    if (fault) return Promise.reject(new Fault(fault));
    return Promise.resolve({
      getVideoTracks: () => (video ? [{ kind: 'video' }] : []),
      getAudioTracks: () => (audio ? [{ kind: 'audio' }] : []),
    });
  };
  return { devices: { getUserMedia } as unknown as MediaDevices, asked };
}

const states = (is: Partial<Record<string, string>>): Permissions =>
  ({
    query: ({ name }: { name: string }) => Promise.resolve({ state: is[name] ?? 'prompt' }),
  }) as unknown as Permissions;

describe('camera and microphone', () => {
  it('are asked for under one question', async () => {
    const { devices, asked } = fakeDevices({ camera: undefined, microphone: undefined });
    expect(await acquire(devices, BOTH)).toMatchObject({
      camera: 'ok',
      microphone: 'ok',
      video: { kind: 'video' },
      audio: { kind: 'audio' },
    });
    expect(asked).toEqual(['camera+microphone']);
  });

  it('are not asked for again after a no to both', async () => {
    const { devices, asked } = fakeDevices({ camera: 'NotAllowedError', microphone: 'NotAllowedError' });
    expect(await acquire(devices, BOTH, states({ camera: 'denied', microphone: 'denied' }))).toMatchObject({
      camera: 'blocked',
      microphone: 'blocked',
    });
    expect(await acquire(devices, BOTH)).toMatchObject({ camera: 'blocked', microphone: 'blocked' });
    expect(asked).toEqual(['camera+microphone', 'camera+microphone']);
  });

  it.each([
    ['NotFoundError', 'missing'],
    ['NotReadableError', 'busy'],
  ])('are told apart when one of them fails with %s', async (name, kind) => {
    const { devices } = fakeDevices({ camera: name, microphone: undefined });
    expect(await acquire(devices, BOTH)).toMatchObject({
      camera: kind,
      microphone: 'ok',
      video: undefined,
      audio: { kind: 'audio' },
    });
  });

  it('are told apart when only the camera is blocked', async () => {
    const { devices } = fakeDevices({ camera: 'NotAllowedError', microphone: undefined });
    const found = await acquire(devices, BOTH, states({ camera: 'denied', microphone: 'granted' }));
    expect(found).toMatchObject({ camera: 'blocked', microphone: 'ok' });
  });
});

it.each([
  ['NotAllowedError', 'blocked'],
  ['SecurityError', 'blocked'],
  ['NotFoundError', 'missing'],
  ['OverconstrainedError', 'missing'],
  ['NotReadableError', 'busy'],
  ['AbortError', 'busy'],
  ['TypeError', 'unknown'],
])('%s means %s', (name, kind) => {
  expect(reason(new Fault(name))).toBe(kind);
});
