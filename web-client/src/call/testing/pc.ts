type Listener = (() => void) | null;

interface FakeTransceiver {
  kind: string;
  direction: string;
  currentDirection: string | null;
  receiver: { track: { kind: string } };
  sender: { track: unknown; replaceTrack(track: unknown): Promise<void>; setStreams(): void };
}

/** What of a peer connection the call touches, with the states moved by the test. */
export class FakePc {
  connectionState: RTCPeerConnectionState = 'new';
  signalingState: RTCSignalingState = 'stable';
  iceGatheringState: RTCIceGatheringState = 'new';
  localDescription: { type: RTCSdpType; sdp: string } | null = null;
  remoteDescription: { type: RTCSdpType; sdp: string } | null = null;
  readonly added: RTCIceCandidateInit[] = [];
  restarts = 0;
  onnegotiationneeded: Listener = null;
  onconnectionstatechange: Listener = null;
  onicegatheringstatechange: Listener = null;
  onicecandidate: ((event: { candidate: Partial<RTCIceCandidate> | null }) => void) | null = null;
  ontrack: ((event: { track: unknown }) => void) | null = null;
  readonly #transceivers: FakeTransceiver[] = [];

  constructor(readonly config: RTCConfiguration) {}

  addTransceiver(given: string | { kind: string }): void {
    this.#open(typeof given === 'string' ? given : given.kind, 'sendrecv');
    if (this.#transceivers.length === 1) queueMicrotask(() => this.onnegotiationneeded?.());
  }

  getTransceivers(): FakeTransceiver[] {
    return this.#transceivers;
  }

  getSenders(): unknown[] {
    return [];
  }

  getStats(): Promise<Map<string, unknown>> {
    return Promise.resolve(new Map<string, unknown>());
  }

  setLocalDescription(): Promise<void> {
    const answers = this.signalingState === 'have-remote-offer';
    this.localDescription = { type: answers ? 'answer' : 'offer', sdp: `local ${this.iceGatheringState}` };
    this.signalingState = answers ? 'stable' : 'have-local-offer';
    return Promise.resolve();
  }

  setRemoteDescription(description: { type: RTCSdpType; sdp: string }): Promise<void> {
    this.remoteDescription = description;
    this.signalingState = description.type === 'offer' ? 'have-remote-offer' : 'stable';
    if (description.type === 'offer' && this.#transceivers.length === 0)
      for (const kind of ['audio', 'video']) this.#open(kind, 'recvonly');
    return Promise.resolve();
  }

  addIceCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    this.added.push(candidate);
    return Promise.resolve();
  }

  setConfiguration(): void {}

  restartIce(): void {
    this.restarts++;
    queueMicrotask(() => this.onnegotiationneeded?.());
  }

  close(): void {
    this.connectionState = 'closed';
  }

  become(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  found(n: number): void {
    this.onicecandidate?.({
      candidate: { candidate: `candidate:${n}`, sdpMid: '0', sdpMLineIndex: 0, usernameFragment: null },
    });
  }

  #open(kind: string, direction: string): void {
    const sender = {
      track: null as unknown,
      replaceTrack(track: unknown): Promise<void> {
        sender.track = track;
        return Promise.resolve();
      },
      setStreams(): void {},
    };
    this.#transceivers.push({ kind, direction, currentDirection: null, receiver: { track: { kind } }, sender });
  }
}
