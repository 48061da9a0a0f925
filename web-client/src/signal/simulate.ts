import type { OpenSocket, Socket } from './socket';
import type { PassingMessage } from './types';

/** What a development server and its page can be made to go through. */
export type Fault = 'drop' | 'blackhole' | 'kill' | 'rewind';

interface Handle {
  simulate(what: Fault): void;
}

declare global {
  interface Window {
    __heliograph?: Handle;
  }
}

interface Present {
  socket: Socket;
  /** As if the line had been cut. */
  drop(): void;
  swallows: boolean;
  /** The server takes `simulate`: its welcome said so. */
  served: boolean;
}

/** Sockets that fail when `window.__heliograph.simulate` says so. Never part of a page that was not asked for it. */
export function failing(open: OpenSocket): OpenSocket {
  let present: Present | undefined;
  window.__heliograph = {
    simulate(what) {
      if (!present) throw new Error('there is no socket');
      switch (what) {
        case 'drop':
          return present.drop();
        case 'blackhole':
          present.swallows = true;
          return;
        case 'kill':
        case 'rewind':
          if (!present.served) throw new Error(`the server does not take "${what}": its welcome has no simulate`);
          return present.socket.send(JSON.stringify({ type: 'simulate', what } satisfies PassingMessage));
      }
    },
  };
  return (on) => {
    let over = false;
    const socket = open({
      open: () => on.open(),
      text(text) {
        if (one.swallows || over) return;
        one.served ||= isOfferIn(text);
        on.text(text);
      },
      close(code) {
        if (!one.swallows && !over) on.close(code);
      },
    });
    const one: Present = {
      socket,
      swallows: false,
      served: false,
      drop() {
        over = true;
        socket.close();
        on.close(1006);
      },
    };
    present = one;
    return {
      send(text) {
        if (!one.swallows) socket.send(text);
      },
      close: () => socket.close(),
    };
  };
}

function isOfferIn(text: string): boolean {
  const frame = JSON.parse(text) as { type?: string; simulate?: boolean };
  return frame.type === 'welcome' && frame.simulate === true;
}
