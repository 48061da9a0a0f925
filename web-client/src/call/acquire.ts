import type { DeviceState } from '../signal/types';

/** What the person lets the page use, and why not where it may not. */
export interface Found {
  camera: DeviceState;
  microphone: DeviceState;
  video: MediaStreamTrack | undefined;
  audio: MediaStreamTrack | undefined;
}

export interface Wanted {
  camera: boolean;
  microphone: boolean;
}

const AUDIO: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const VIDEO: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30, max: 30 },
  facingMode: 'user',
};

/** What a browser needs for a visit. In-app browsers often lack it; it also lacks without https. */
export function canCall(): boolean {
  return typeof RTCPeerConnection === 'function' && typeof navigator.mediaDevices?.getUserMedia === 'function';
}

/** Camera and microphone under one question; where that fails, what works of the two, and what is wrong with the other. */
export async function acquire(devices: MediaDevices, wanted: Wanted, permissions?: Permissions): Promise<Found> {
  const found: Found = { camera: 'unknown', microphone: 'unknown', video: undefined, audio: undefined };
  if (!wanted.camera && !wanted.microphone) return found;
  try {
    take(found, await devices.getUserMedia(constraints(wanted)), wanted);
  } catch (error) {
    const why = reason(error);
    note(found, wanted, why);
    if (wanted.camera && wanted.microphone) await apart(devices, found, why, permissions);
  }
  return found;
}

/** One question failed for both: finds out for which, without asking a person again who said no to both. */
async function apart(devices: MediaDevices, found: Found, why: DeviceState, permissions?: Permissions): Promise<void> {
  const denied = why === 'blocked' ? await refused(permissions) : undefined;
  if (denied?.camera && denied.microphone) return;
  for (const one of ['microphone', 'camera'] as const) {
    if (denied?.[one]) continue;
    const wanted = { camera: one === 'camera', microphone: one === 'microphone' };
    try {
      take(found, await devices.getUserMedia(constraints(wanted)), wanted);
    } catch (error) {
      note(found, wanted, reason(error));
    }
  }
}

/** Whom the browser already refuses. Where it does not tell, the person's no counts for both. */
async function refused(permissions?: Permissions): Promise<Wanted> {
  const is = async (name: string): Promise<boolean> => {
    const status = await permissions?.query({ name: name as PermissionName });
    return status?.state !== 'granted' && status?.state !== 'prompt';
  };
  try {
    return { camera: await is('camera'), microphone: await is('microphone') };
  } catch {
    return { camera: true, microphone: true };
  }
}

function constraints({ camera, microphone }: Wanted): MediaStreamConstraints {
  return { video: camera ? VIDEO : false, audio: microphone ? AUDIO : false };
}

function take(found: Found, stream: MediaStream, wanted: Wanted): void {
  if (wanted.camera) {
    found.video = stream.getVideoTracks()[0];
    found.camera = found.video ? 'ok' : 'missing';
  }
  if (wanted.microphone) {
    found.audio = stream.getAudioTracks()[0];
    found.microphone = found.audio ? 'ok' : 'missing';
  }
}

function note(found: Found, wanted: Wanted, why: DeviceState): void {
  if (wanted.camera) found.camera = why;
  if (wanted.microphone) found.microphone = why;
}

/** Names of `getUserMedia`'s errors (Media Capture and Streams, section 10.2). */
export function reason(error: unknown): DeviceState {
  switch (error instanceof Error || error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'blocked';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'unknown';
  }
}
