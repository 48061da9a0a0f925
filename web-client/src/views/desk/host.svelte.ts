import type { VisitParticipant } from '../../api/client';
import { warmUp } from '../../call/warm';
import type { ServerClock } from '../../schedule/clock';
import { RoomState } from '../room.svelte';

/** A physician in a visit: joins, lets in whom the desk's button named, and ends. */
export class HostVisit {
  readonly room: RoomState;
  #admit: string | undefined;

  constructor(clock: ServerClock, admit: string | undefined) {
    this.room = new RoomState(clock);
    this.#admit = admit;
  }

  async start(visit: string, seat: VisitParticipant, language: string): Promise<void> {
    void warmUp((config) => new RTCPeerConnection(config)).catch(() => undefined);
    await Promise.all([
      this.room.media.open(),
      this.room.join({ visit, participant: seat.participant, zone: seat.zone, language }),
    ]);
  }

  /** Lets in the person of the desk's button, once the room is there. */
  admitFirst(): void {
    const { room, link } = this.room;
    if (!this.#admit || !room || link.is !== 'joined') return;
    const participant = this.#admit;
    this.#admit = undefined;
    if (!room.members.some((member) => member.participant === participant)) this.admit(participant);
  }

  admit(participant: string): void {
    this.room.send({ type: 'admit', participant });
  }

  hold(participant: string): void {
    this.room.send({ type: 'hold', participant });
  }

  end(): void {
    this.room.send({ type: 'end' });
  }

  undoEnd(): void {
    this.room.send({ type: 'undo_end' });
  }

  async reopen(): Promise<void> {
    this.room.send({ type: 'reopen' });
    await this.room.media.open();
  }

  /** Leaves the room open for the others. */
  stepOut(): void {
    this.room.leave({ type: 'step_out' }, { type: 'bye' });
  }
}
