import type { TicketAnswer } from '../signal/line';
import { takeDesk, takeSeat } from './client';

/** Asks for the ticket that a first `hello` carries. */
export async function ticketFor(visit: string, participant: string): Promise<TicketAnswer> {
  const seat = await takeSeat(visit, participant);
  switch (seat.is) {
    case 'ok':
      return { is: 'ticket', ticket: seat.data.ticket };
    case 'unreachable':
      return { is: 'later' };
    case 'problem':
      if (seat.status >= 500 || seat.status === 429) return { is: 'later' };
      if (seat.code === 'visit_cancelled') return { is: 'refused', reason: 'cancelled' };
      return { is: 'refused', reason: seat.code === 'too_late' ? 'expired' : 'auth' };
  }
}

/** Asks for the ticket that the desk's `hello` carries. Refused: nobody is signed in. */
export async function deskTicket(): Promise<TicketAnswer> {
  const desk = await takeDesk();
  if (desk.is === 'ok') return { is: 'ticket', ticket: desk.data.ticket };
  return desk.is === 'problem' && desk.status === 401 ? { is: 'refused', reason: 'auth' } : { is: 'later' };
}
