import { type Session, signIn, signOut, whoAmI } from '../../api/client';
import { deskTicket } from '../../api/ticket';
import { ServerClock } from '../../schedule/clock';
import { DeskClient, type DeskLink, NO_VISITS } from '../../signal/desk';
import { browserEnv, newSession } from '../../signal/env';
import { openSocket } from '../../signal/socket';
import type { DeskVisit } from '../../signal/types';

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

/** Who is signed in, which page of the desk they look at, and how their visits stand. */
export class Desk {
  stage = $state.raw<DeskStage>({ is: 'loading' });
  route = $state.raw<DeskRoute>({ is: 'day' });
  /** The desk's socket. While it is lost, what is shown may be old. */
  link = $state.raw<DeskLink>({ is: 'connecting' });
  standing = $state.raw<ReadonlyMap<string, DeskVisit>>(NO_VISITS);
  readonly clock = new ServerClock();
  /** Called when the list of visits itself may be another one: the socket tells only how they stand. */
  onList: (changed: DeskVisit | undefined) => void = () => undefined;
  #client: DeskClient | undefined;

  constructor() {
    window.addEventListener('popstate', () => this.#read());
    window.addEventListener('online', () => this.#client?.wake());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#client?.wake();
    });
  }

  async start(): Promise<void> {
    const token = tokenIn(location.hash);
    // A sign-in link must not stay in the address line or the history.
    if (token) history.replaceState(null, '', location.pathname);
    const redeemed = token ? await signIn(token) : undefined;
    const session = await whoAmI();
    if (session.is === 'ok') await this.#signedIn(session.data);
    else if (session.is === 'problem' && session.status === 401) this.signedOut(redeemed?.is === 'problem');
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

  signedOut(used = false): void {
    this.#client?.close();
    this.#client = undefined;
    this.standing = NO_VISITS;
    this.stage = { is: 'signed_out', used };
  }

  async #signedIn(session: Session): Promise<void> {
    this.stage = { is: 'signed_in', session };
    this.#client?.close();
    const client = new DeskClient(
      { session: newSession(), open: await openSocket(), ticket: deskTicket, env: browserEnv },
      {
        link: (link) => {
          this.link = link;
          if (link.is === 'signed_out') this.signedOut();
        },
        visits: (visits, changed) => {
          this.standing = visits;
          this.onList(changed);
        },
      },
    );
    this.#client = client;
    client.start();
  }

  #read(): void {
    // A sign-in link that was put into the address line of the open page.
    if (tokenIn(location.hash)) return void this.start();
    const id = VISIT.exec(location.hash)?.[1];
    this.route = id ? { is: 'visit', id, admit: undefined } : { is: 'day' };
  }
}
