import type { TicketAnswer } from '../signal/line';
import { takeSeat } from './client';

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
