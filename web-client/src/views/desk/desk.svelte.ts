import { type Session, signIn, signOut, whoAmI } from '../../api/client';
import { ServerClock } from '../../schedule/clock';

export type DeskStage =
  | { is: 'loading' }
  | { is: 'unreachable' }
  /** `used`: a sign-in link was tried and does not work. */
  | { is: 'signed_out'; used: boolean }
  | { is: 'signed_in'; session: Session };

/** A visit that is looked at, and whom to let in as soon as that is possible. */
export type DeskRoute = { is: 'day' } | { is: 'visit'; id: string; admit: string | undefined };

function tokenIn(hash: string): string | undefined {
  return hash.length > 1 && !hash.startsWith('#/') ? hash.slice(1) : undefined;
}

const VISIT = /^#\/visit\/([0-9a-f-]+)$/;

/** Who is signed in, and which page of the desk they look at. */
export class Desk {
  stage = $state.raw<DeskStage>({ is: 'loading' });
  route = $state.raw<DeskRoute>({ is: 'day' });
  readonly clock = new ServerClock();

  constructor() {
    window.addEventListener('popstate', () => this.#read());
  }

  async start(): Promise<void> {
    const token = tokenIn(location.hash);
    // A sign-in link must not stay in the address line or the history.
    if (token) history.replaceState(null, '', location.pathname);
    const redeemed = token ? await signIn(token) : undefined;
    const session = await whoAmI();
    if (session.is === 'ok') this.stage = { is: 'signed_in', session: session.data };
    else if (session.is === 'problem' && session.status === 401)
      this.stage = { is: 'signed_out', used: redeemed?.is === 'problem' };
    else this.stage = { is: 'unreachable' };
    this.#read();
  }

  open(id: string, admit?: string): void {
    history.pushState(null, '', `#/visit/${id}`);
    this.route = { is: 'visit', id, admit };
  }

  home(): void {
    history.pushState(null, '', location.pathname);
    this.route = { is: 'day' };
  }

  async signOut(): Promise<void> {
    await signOut();
    this.signedOut();
  }

  signedOut(): void {
    this.stage = { is: 'signed_out', used: false };
  }

  #read(): void {
    // A sign-in link that was put into the address line of the open page.
    if (tokenIn(location.hash)) return void this.start();
    const id = VISIT.exec(location.hash)?.[1];
    this.route = id ? { is: 'visit', id, admit: undefined } : { is: 'day' };
  }
}
